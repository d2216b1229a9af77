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
import { makeDecoder } from "../decoding-choice.js";
import { Recognizer } from "../recognizer.js";
import { lowerPriority } from "./lower-priority.js";
import type { FromThread, JobSource, ThreadData, ThreadMemory, ToThread } from "./messages.js";

// A thread of a pool: loads the model or takes the one that another thread has loaded, then does a job at a time.

const port = parentPort!;
const send = (message: FromThread, transferred: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, transferred);

/** The job at work. */
interface Job {
  id: number;
  abort: AbortController;
  /** Takes the part that was asked for. */
  onPart: ((part: Uint8Array | Float32Array | undefined) => void) | undefined;
  onBroken: ((error: Error) => void) | undefined;
}
let current: Job | undefined;

try {
  const data = workerData as ThreadData;
  lowerPriority(data.nice); // before libtorch starts threads of its own, which have it too
  setThreads(data.torchThreads);
  const { recognizer, shared } = await prepare(data);
  port.on("message", (message: ToThread) => {
    if (message.kind === "begin") void perform(recognizer, message);
    else if (message.job === current?.id) tell(current, message);
  });
  send({ kind: "ready", shared, memory: memoryOf() });
} catch (error) {
  send({ kind: "unusable", error: plainError(error) });
}

async function prepare({ model, decoding, device }: ThreadData) {
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
  return { recognizer: new Recognizer(ctc, await makeDecoder(ctc.tokenizer, decoding, onNote)), shared };
}

function tell(job: Job, message: Exclude<ToThread, { kind: "begin" }>): void {
  if (message.kind === "abort") job.abort.abort();
  else if (message.kind === "part") job.onPart?.(message.part);
  else job.onBroken?.(reviveError(message.error));
}

async function perform(
  recognizer: Recognizer,
  { job: id, source, raw, task }: Extract<ToThread, { kind: "begin" }>,
): Promise<void> {
  const job: Job = { id, abort: new AbortController(), onPart: undefined, onBroken: undefined };
  current = job;
  const { signal } = job.abort;
  let error: unknown;
  try {
    const onNote = (text: string) => send({ kind: "note", job: id, text });
    const blocks = streamOpened(opened(source, job), { raw, signal, onNote });
    if (task.kind === "align") {
      const { text, respell, name } = task;
      const result = await new Aligner(recognizer.ctc).alignBlocks(blocks, text, { name, respell, signal });
      const arrays = [result.emissions.logits, result.path.path, result.path.scores]; // nobody needs them here any more
      send(
        { kind: "result", job: id, result },
        arrays.map(({ buffer }) => buffer as ArrayBuffer),
      );
    } else {
      const { words, windows, partial } = task;
      const onPartial = partial ? (text: string) => send({ kind: "partial", job: id, text }) : undefined;
      const options = { words, windows, name: source.name, signal, onPartial };
      for await (const result of recognizer.streamBlocks(blocks, options))
        send({ kind: "result", job: id, result });
    }
  } catch (thrown) {
    error = thrown;
  }
  current = undefined;
  send({
    kind: "end",
    job: id,
    error: error === undefined ? undefined : plainError(error),
    memory: memoryOf(),
  });
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
