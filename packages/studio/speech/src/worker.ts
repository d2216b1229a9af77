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
import type { LoadRequest, WorkerReply, WorkerRequest } from "./messages.js";

// Recognises, off the page's own thread. One job after another; a newer one ends those before it.

type Ort = OnnxRuntime & { env: { wasm: { numThreads: number; wasmPaths: string } } };

let recognizer: OnnxRecognizer | undefined;
let languageModel: Awaited<ReturnType<typeof parseLanguageModel>> | undefined;
let weights: { lmWeight?: number | undefined; wordScore?: number | undefined } = {};
const live = new Map<number, BlockQueue>();
const cancels = new Map<number, AbortController>();
let working: Promise<void> = Promise.resolve();

function tell(reply: WorkerReply, transfer: Transferable[] = []): void {
  postMessage(reply, { transfer });
}

addEventListener("message", ({ data }: MessageEvent<WorkerRequest>) => {
  switch (data.type) {
    case "load":
      void load(data);
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
});

async function load(request: LoadRequest): Promise<void> {
  try {
    const { engine, threads, runtime, directory, dtype } = request;
    const file = engine === "webgpu" ? "ort.webgpu.min.mjs" : "ort.wasm.min.mjs";
    const ort = (await import(/* @vite-ignore */ `${runtime}${file}`)) as Ort;
    ort.env.wasm.wasmPaths = runtime;
    ort.env.wasm.numThreads = threads;
    if (engine === "wasm") startEngine(ort); // WebGPU's makes one session at a time
    const loaded = loadRecognizer(directory, {
      ort,
      dtype,
      session: { executionProviders: [engine], logSeverityLevel: 3 },
      onDownload: (bytes, total) => tell({ type: "progress", loaded: bytes, total }),
    });
    loaded.catch(() => {});
    if (request.languageModel) {
      const { address, ...chosen } = request.languageModel;
      const response = await fetch(address);
      if (!response.ok)
        throw new Error(`${address} must be there, but the server answers ${response.status}.`);
      languageModel = await parseLanguageModel(await response.arrayBuffer(), { onNote: () => {} });
      weights = chosen;
    }
    recognizer = await loaded;
    tell({ type: "ready", engine, threads });
  } catch (error) {
    tell({ type: "failed", message: (error as Error).message });
  }
}

/** Has the engine's 14 MB fetched and compiled while the model comes, which it does before it looks at what it is to run. */
function startEngine(ort: Ort): void {
  // Of the same kind as the model's session, which then waits for this start. No model is refused.
  const session = { executionProviders: ["wasm"], logSeverityLevel: 4 } as const;
  void ort.InferenceSession.create(new Uint8Array(1), session).catch(() => {});
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
  if (hotwords.length === 0 && !languageModel) return recognizer;
  const options = { hotwords, ...(languageModel && { languageModel, ...weights }) };
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
