import { parentPort, workerData } from "node:worker_threads";
import { streamOpened } from "../../audio/audio-stream.js";
import type { OpenedSource } from "../../audio/sources/open-source.js";
import { SourceParts } from "../../audio/sources/source-parts.js";
import { plainError, reviveError } from "../../error-transfer.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";
import { SpeechAligner } from "../alignment/speech-aligner.js";
import { SpeechRecognizer } from "../speech-recognizer.js";
import { DecoderMaker, tellFit } from "../transcript/decoding-choice.js";
import { lowerPriority } from "./lower-priority.js";
import type { FromThread, JobSource, JobTask, ThreadData, ThreadMemory, ToThread } from "./messages.js";
import type { PoolNetwork } from "./pool-network.js";
import { RequestDecoders } from "./request-decoders.js";
import { WindowBatches } from "./window-batches.js";

// A thread of a pool: loads the model or takes the one that another thread has loaded, then does the jobs that it is given,
// one or several at a time.

const port = parentPort!;
const send = (message: FromThread, transferred: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transferred);

/** A job at work. */
interface Job {
  id: number;
  abort: AbortController;
  /** Takes the part that was asked for. */
  onPart: ((part: Uint8Array | Float32Array | undefined) => void) | undefined;
  onBroken: ((error: Error) => void) | undefined;
}
const jobs = new Map<number, Job>();

/** What all jobs use. */
interface Prepared {
  tokenizer: CtcTokenizer;
  decoders: RequestDecoders;
  batches: WindowBatches;
}

try {
  const data = workerData as ThreadData;
  lowerPriority(data.nice); // before the engine starts threads of its own, which have it too
  const network = await openNetwork(data);
  const prepared = await prepare(network, data);
  port.on("message", (message: ToThread) => {
    if (message.kind === "begin") void perform(prepared, message);
    else tell(jobs.get(message.job), message);
  });
  send({ kind: "ready", shared: network.shared, memory: memoryOf() });
} catch (error) {
  send({ kind: "unusable", error: plainError(error) });
}

/** Each engine is loaded where it runs: libtorch is not needed by the other. */
async function openNetwork(data: ThreadData): Promise<PoolNetwork> {
  if (data.model.kind === "exported")
    return await (await import("./onnx-network.js")).openOnnxNetwork(data.model, data.torchThreads);
  return await (await import("./torch-network.js")).openTorchNetwork(data.model, data, tellAll);
}

/** Of the model itself, not of a recording. */
function tellAll(text: string): void {
  send({ kind: "note", job: undefined, text });
}

async function prepare({ tokenizer, ...network }: PoolNetwork, { decoding }: ThreadData): Promise<Prepared> {
  const maker = await DecoderMaker.load(tokenizer, decoding, tellAll);
  const decoders = new RequestDecoders(maker, await maker.make());
  await tellFit(maker, tellAll);
  const batches = new WindowBatches(network, (windows) => send({ kind: "batch", windows }));
  return { tokenizer, decoders, batches };
}

function tell(job: Job | undefined, message: Exclude<ToThread, { kind: "begin" }>): void {
  if (message.kind === "abort") job?.abort.abort();
  else if (message.kind === "part") job?.onPart?.(message.part);
  else job?.onBroken?.(reviveError(message.error));
}

async function perform(
  prepared: Prepared,
  { job: id, source, raw, task }: Extract<ToThread, { kind: "begin" }>,
): Promise<void> {
  const job: Job = { id, abort: new AbortController(), onPart: undefined, onBroken: undefined };
  jobs.set(id, job);
  const { signal } = job.abort;
  let error: unknown;
  try {
    const onNote = (text: string) => send({ kind: "note", job: id, text });
    const blocks = streamOpened(opened(source, job), { raw, signal, onNote });
    if (task.kind === "align") await align(prepared, job, blocks, task);
    else await transcribe(prepared, job, blocks, { ...task, name: source.name });
  } catch (thrown) {
    error = thrown;
  }
  jobs.delete(id);
  send({
    kind: "end",
    job: id,
    error: error === undefined ? undefined : plainError(error),
    memory: memoryOf(),
  });
}

async function align(
  { tokenizer, batches }: Prepared,
  { id: job, abort }: Job,
  blocks: AsyncIterable<Float32Array>,
  { text, respell, name }: Extract<JobTask, { kind: "align" }>,
): Promise<void> {
  const options = { name, respell, signal: abort.signal };
  const result = await new SpeechAligner(batches.recording(), tokenizer).alignBlocks(blocks, text, options);
  const arrays = [result.emissions.logits, result.path.path, result.path.scores]; // nobody needs them here any more
  send(
    { kind: "result", job, result },
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  );
}

async function transcribe(
  { tokenizer, decoders, batches }: Prepared,
  { id: job, abort }: Job,
  blocks: AsyncIterable<Float32Array>,
  { words, windows, partial, hotwords, name }: Extract<JobTask, { kind: "transcribe" }> & { name: string },
): Promise<void> {
  const onPartial = partial ? (text: string) => send({ kind: "partial", job, text }) : undefined;
  const options = { words, windows, name, signal: abort.signal, onPartial };
  const decoder = await decoders.with(hotwords);
  const recognizer = new SpeechRecognizer(batches.recording(), tokenizer, decoder);
  for await (const result of recognizer.streamBlocks(blocks, options)) send({ kind: "result", job, result });
}

function opened(source: JobSource, job: Job): OpenedSource {
  const parts = () =>
    new SourceParts<never>({ iterator: { next: () => pull(job) }, signal: job.abort.signal });
  if (source.kind === "stream") return { ...source, chunks: parts() };
  return source.kind === "samples" ? { ...source, blocks: parts() } : source;
}

/** The next part of the job's source, from the pool. */
function pull(job: Job): Promise<IteratorResult<unknown>> {
  send({ kind: "pull", job: job.id });
  return new Promise((resolve, reject) => {
    job.onPart = (value) => resolve(value === undefined ? { done: true, value } : { done: false, value });
    job.onBroken = reject;
  });
}

function memoryOf(): ThreadMemory {
  const { heapTotal, external } = process.memoryUsage();
  return { heap: heapTotal, arrays: external };
}
