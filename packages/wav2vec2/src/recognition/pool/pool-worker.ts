import { parentPort, workerData } from "node:worker_threads";
import { setThreads } from "@wav2vec2/libtorch";
import { streamOpened } from "../../audio/audio-stream.js";
import type { OpenedSource } from "../../audio/open-source.js";
import { SourceParts } from "../../audio/source-parts.js";
import { resolveDevice } from "../../device.js";
import { plainError, reviveError } from "../../error-transfer.js";
import { inPrecision } from "../../precision/in-precision.js";
import { type CtcModel, findCtcModel } from "../../pretrained/ctc-directory.js";
import { modelOf, type SharedModel, shareModel } from "../../pretrained/shared-model.js";
import { Aligner } from "../align.js";
import { DecoderMaker, tellFit } from "../decoding-choice.js";
import { SpeechRecognizer } from "../speech-recognizer.js";
import { lowerPriority } from "./lower-priority.js";
import type { FromThread, JobSource, JobTask, ThreadData, ThreadMemory, ToThread } from "./messages.js";
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
  ctc: CtcModel;
  decoders: RequestDecoders;
  batches: WindowBatches;
}

try {
  const data = workerData as ThreadData;
  lowerPriority(data.nice); // before libtorch starts threads of its own, which have it too
  setThreads(data.torchThreads);
  const { shared, ...prepared } = await prepare(data);
  port.on("message", (message: ToThread) => {
    if (message.kind === "begin") void perform(prepared, message);
    else tell(jobs.get(message.job), message);
  });
  send({ kind: "ready", shared, memory: memoryOf() });
} catch (error) {
  send({ kind: "unusable", error: plainError(error) });
}

async function prepare({
  model,
  decoding,
  device,
}: ThreadData): Promise<Prepared & { shared: SharedModel | undefined }> {
  const onNote = (text: string) => send({ kind: "note", job: undefined, text });
  let ctc: CtcModel;
  let shared: SharedModel | undefined;
  if ("parameters" in model) ctc = modelOf(model);
  else {
    const { nameOrDirectory, precision, computesOn, ...options } = model;
    const loaded = await findCtcModel(nameOrDirectory, { ...options, onNote, device: "cpu" });
    ctc = await inPrecision(loaded, precision, { device: resolveDevice(computesOn), onNote });
    shared = shareModel(ctc);
  }
  const place = resolveDevice(device);
  if (place !== "cpu") ctc.model.to({ device: place });
  ctc.model.eval();
  const maker = await DecoderMaker.load(ctc.tokenizer, decoding, onNote);
  const decoders = new RequestDecoders(maker, await maker.make());
  await tellFit(maker, onNote);
  const batches = new WindowBatches(ctc, (windows) => send({ kind: "batch", windows }));
  return { ctc, decoders, batches, shared };
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
  { ctc }: Prepared,
  { id: job, abort }: Job,
  blocks: AsyncIterable<Float32Array>,
  { text, respell, name }: Extract<JobTask, { kind: "align" }>,
): Promise<void> {
  const options = { name, respell, signal: abort.signal };
  const result = await new Aligner(ctc).alignBlocks(blocks, text, options);
  const arrays = [result.emissions.logits, result.path.path, result.path.scores]; // nobody needs them here any more
  send(
    { kind: "result", job, result },
    arrays.map(({ buffer }) => buffer as ArrayBuffer),
  );
}

async function transcribe(
  { ctc, decoders, batches }: Prepared,
  { id: job, abort }: Job,
  blocks: AsyncIterable<Float32Array>,
  { words, windows, partial, hotwords, name }: Extract<JobTask, { kind: "transcribe" }> & { name: string },
): Promise<void> {
  const onPartial = partial ? (text: string) => send({ kind: "partial", job, text }) : undefined;
  const options = { words, windows, name, signal: abort.signal, onPartial };
  const decoder = await decoders.with(hotwords);
  const recognizer = new SpeechRecognizer(batches.recording(), ctc.tokenizer, decoder);
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
