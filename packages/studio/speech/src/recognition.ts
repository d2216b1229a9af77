import {
  type AudioSource,
  CtcDecoder,
  FILE_WINDOWS,
  LIVE_WINDOWS,
  loadRecognizer,
  type OnnxRecognizer,
  type OnnxRuntime,
  parseLanguageModel,
  Resampler,
  SAMPLE_RATE,
  streamAudio,
  type UserError,
  type WindowSeconds,
} from "../../../wav2vec2/src/web/index.js";
import { BlockQueue } from "./block-queue.js";
import type { LoadRequest, WarmRequest, WorkerReply, WorkerRequest } from "./messages.js";

// One job after another; a newer one ends those before it.

export type Ort = OnnxRuntime & { env: { wasm: { numThreads: number; wasmPaths: { wasm: string } } } };

/**
 * Networks in float32 are written with the operators that onnxruntime would make of smaller ones: to look for these takes
 * longer than all else of the start, and changes no time of recognition.
 */
const AS_WRITTEN = { graphOptimizationLevel: "disabled" } as const;

/** Gives onnxruntime's module for an engine. */
type OpenEngine = (name: "wasm" | "webgpu", request: Omit<WarmRequest, "type">) => Promise<Ort>;

let recognizer: OnnxRecognizer | undefined;
type LanguageModel = Awaited<ReturnType<typeof parseLanguageModel>>;
/** The site's language model with its weights, and the user's, which goes before it. */
let ofSite:
  | { languageModel: LanguageModel; lmWeight?: number | undefined; wordScore?: number | undefined }
  | undefined;
let ofUser: { languageModel: LanguageModel } | undefined;
const live = new Map<number, BlockQueue>();
const cancels = new Map<number, AbortController>();
let working: Promise<void> = Promise.resolve();

function tell(reply: WorkerReply, transfer: Transferable[] = []): void {
  postMessage(reply, { transfer });
}

/** Does what the page asks for. */
export function take(data: Exclude<WorkerRequest, WarmRequest>, openEngine: OpenEngine): void {
  switch (data.type) {
    case "load":
      void load(data, openEngine);
      return;
    case "language":
      working = working.then(() => chooseLanguageModel(data.file));
      return;
    case "recognize": {
      const { audio, name, job, hotwords } = data;
      start(
        job,
        FILE_WINDOWS,
        hotwords,
        (signal) => streamAudio(audio as AudioSource, { name, signal }),
        name,
      );
      return;
    }
    case "listen": {
      const queue = new BlockQueue();
      live.set(data.job, queue);
      start(data.job, LIVE_WINDOWS, data.hotwords, () => resampled(queue, data.sampleRate), "the microphone");
      return;
    }
    case "block":
      live.get(data.job)?.push(data.samples);
      return;
    case "end":
      live.get(data.job)?.end();
      return;
    case "cancel":
      live.get(data.job)?.end();
      cancels.get(data.job)?.abort(new DOMException("Stopped.", "AbortError"));
  }
}

async function load(request: LoadRequest, openEngine: OpenEngine): Promise<void> {
  try {
    const { engine, threads, directory, dtype } = request;
    const ort = await openEngine(engine, request);
    const session = { executionProviders: [engine], logSeverityLevel: 3 } as const;
    const loaded = loadRecognizer(directory, {
      ort,
      dtype,
      session: { ...session, ...(engine === "wasm" && dtype === "float32" && AS_WRITTEN) },
      onDownload: (bytes, total) => tell({ type: "progress", loaded: bytes, total }),
    });
    loaded.catch(() => {});
    if (request.languageModel) {
      const { address, ...chosen } = request.languageModel;
      const response = await fetch(address);
      if (!response.ok)
        throw new Error(`${address} must be there, but the server answers ${response.status}.`);
      const languageModel = await parseLanguageModel(await response.arrayBuffer(), { onNote: () => {} });
      ofSite = { languageModel, ...chosen };
    }
    recognizer = await loaded;
    tell({ type: "ready", engine, threads });
  } catch (error) {
    tell({ type: "failed", message: (error as Error).message });
  }
}

async function chooseLanguageModel(file: File | undefined): Promise<void> {
  ofUser = undefined;
  try {
    if (file) {
      const { name } = file;
      const languageModel = await parseLanguageModel(await file.arrayBuffer(), { name, onNote: () => {} });
      // What it has no word of the vocabulary in common with is said now, not of the first recording.
      if (recognizer) new CtcDecoder(recognizer.tokenizer, { languageModel });
      ofUser = { languageModel };
    }
    tell({ type: "language", message: undefined });
  } catch (error) {
    tell({ type: "language", message: (error as Error).message });
  }
}

function start(
  job: number,
  windows: WindowSeconds,
  hotwords: readonly string[],
  open: (signal: AbortSignal) => AsyncIterable<Float32Array>,
  name: string,
): void {
  const cancel = new AbortController();
  cancels.set(job, cancel);
  working = working.then(() => recognize(job, windows, hotwords, open(cancel.signal), name, cancel.signal));
}

async function recognize(
  job: number,
  windows: WindowSeconds,
  hotwords: readonly string[],
  blocks: AsyncIterable<Float32Array>,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const began = performance.now();
    const onPartial = (text: string) => tell({ type: "partial", job, text });
    const options = { words: true, windows, name, signal, onPartial };
    for await (const transcript of withWords(hotwords).streamBlocks(told(blocks, job), options))
      tell({ type: "piece", job, transcript });
    tell({ type: "done", job, seconds: (performance.now() - began) / 1000 });
  } catch (error) {
    const { message, code = "" } = error as UserError;
    tell({ type: "error", job, message, code: signal.aborted ? "ABORTED" : code });
  } finally {
    live.delete(job);
    cancels.delete(job);
  }
}

/** The recogniser, with the words that it is to listen for. */
function withWords(hotwords: readonly string[]): OnnxRecognizer {
  if (!recognizer) throw new Error("The model must be loaded first.");
  const language = ofUser ?? ofSite;
  if (hotwords.length === 0 && !language) return recognizer;
  const options = { hotwords, ...language };
  return recognizer.withDecoder(new CtcDecoder(recognizer.tokenizer, options));
}

/** The same samples, which the page gets to draw and play. */
async function* told(blocks: AsyncIterable<Float32Array>, job: number): AsyncGenerator<Float32Array> {
  for await (const block of blocks) {
    const samples = block.slice();
    tell({ type: "samples", job, samples }, [samples.buffer]);
    yield block;
  }
}

async function* resampled(queue: BlockQueue, rate: number): AsyncGenerator<Float32Array> {
  const resampler = new Resampler(rate, SAMPLE_RATE);
  for await (const block of queue) yield resampler.push(block);
  yield resampler.end();
}
