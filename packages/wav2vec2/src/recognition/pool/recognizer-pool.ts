import { availableParallelism } from "node:os";
import {
  isObject,
  type Kind,
  optional,
  requireArguments,
  requireKind,
  TEXT,
  TEXTS,
  whole,
} from "../../argument-kinds.js";
import type { AudioSource } from "../../audio/audio-source.js";
import { ConfigurationError } from "../../errors.js";
import { tellNote } from "../../files/tell-note.js";
import type { KnownOptions } from "../../known-options.js";
import { requireOptions } from "../../known-options.js";
import { PRECISION, type WantedPrecision } from "../../precision/precision-names.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { CTC_MODEL_OR_NAME } from "../../pretrained/ctc-model-kind.js";
import type { RecordingTranscript, Transcript } from "../../text/formats/transcript.js";
import {
  ALIGN_OPTIONS,
  ALIGNED_TEXT,
  type Alignment,
  type AlignOptions,
  nameOf,
} from "../alignment/speech-aligner.js";
import {
  type Engine,
  engineFor,
  refuseDtype,
  refuseTorchOptions,
  WANTED_ENGINE,
  type WantedEngine,
} from "../engine-choice.js";
import { TRANSCRIBE_OPTIONS, type TranscribeOptions } from "../speech-recognizer.js";
import { DECODING_CHOICE_OPTIONS, type DecodingChoice } from "../transcript/decoding-choice.js";
import { joinPieces } from "../transcript/whole-transcript.js";
import type { ThreadData, ThreadMemory } from "./messages.js";
import { PoolError } from "./pool-error.js";
import { type JobRequest, PoolJob } from "./pool-job.js";
import { exportedModel, type PoolModel, sharedModel } from "./pool-model.js";
import { PoolThread } from "./pool-thread.js";

export interface RecognizerPoolOptions extends DecodingChoice {
  /** Threads that transcribe. Default: one less than there are cores, at most 4 */
  threads?: number | undefined;
  /**
   * Recordings that each thread takes at once: the network computes windows of similar length together and goes from one
   * recording to the next after each, so that a long or live one keeps no thread to itself. Default: 1
   */
  together?: number | undefined;
  /** Threads of libtorch or onnxruntime in each of them. Default: the cores divided among them */
  torchThreads?: number | undefined;
  /** Recordings that may wait for a thread; more are refused with `ERR_POOL_BUSY`. Default: 64 */
  queue?: number | undefined;
  /**
   * Seconds that a recording's stream may give nothing, which then fails with `ERR_POOL_IDLE` and gives its thread to others.
   * Infinity: any. Default: 60
   */
  idleSeconds?: number | undefined;
  /**
   * By how much the system prefers this process's other threads where cores are short, in steps of niceness from 0 to 19. On
   * Linux. Default: 5
   */
  nice?: number | undefined;
  /**
   * What runs the network. With onnxruntime, of a directory that `export` wrote, each thread has weights of its own. Default:
   * `auto`, libtorch unless the directory holds an exported network alone
   */
  engine?: WantedEngine | undefined;
  /** Which of the networks that `export` wrote, as of `loadOnnxRecognizer`. Default: float32, else what there is */
  dtype?: string | undefined;
  /** Of a Hub model: branch, tag or commit. Default: `main` */
  revision?: string | undefined;
  /** Of a multilingual model. */
  language?: string | undefined;
  /** Default: `auto`, a GPU where there is one */
  device?: string | undefined;
  /** As of `loadRecognizer`. Default: float32, or that of the model in memory */
  precision?: WantedPrecision | undefined;
  /** Gets what is odd about the model or the language model. */
  onNote?: ((text: string) => void) | undefined;
  /** Is told, whenever the network computes, of how many recordings at once. */
  onBatch?: ((windows: number) => void) | undefined;
}

/** What is wanted of one recording of a pool. */
export interface PoolTranscribeOptions extends TranscribeOptions {
  /** Words of this recording to be recognised more readily, besides those of the pool. */
  hotwords?: readonly string[] | undefined;
}

const POOL_TRANSCRIBE_OPTIONS = {
  ...TRANSCRIBE_OPTIONS,
  hotwords: optional(TEXTS),
} satisfies KnownOptions<PoolTranscribeOptions>;

const OPTIONS = {
  ...DECODING_CHOICE_OPTIONS,
  threads: true,
  together: true,
  torchThreads: true,
  queue: true,
  idleSeconds: true,
  nice: true,
  engine: WANTED_ENGINE,
  dtype: TEXT,
  revision: TEXT,
  language: TEXT,
  device: TEXT,
  precision: PRECISION,
  onNote: true,
  onBatch: true,
} satisfies KnownOptions<RecognizerPoolOptions>;

const MOST_THREADS = 256;
const MOST_TOGETHER = 1024;
const QUEUE = 64;
const IDLE_SECONDS = 60;
const NICE = 5;
const MOST_NICE = 19;
/** What a timer of Node.js can wait, in seconds. */
const LONGEST_TIMER = 2_147_483;

const IDLE: Kind = {
  must: `from above 0 to ${LONGEST_TIMER} seconds, or Infinity`,
  holds: (value) =>
    typeof value === "number" && value > 0 && (value <= LONGEST_TIMER || value === Number.POSITIVE_INFINITY),
};

/** What a pool's threads are made with. */
interface PoolSize {
  queue: number;
  threads: number;
  together: number;
  idleSeconds: number;
}

/** How busy a pool is, and what it takes. */
export interface PoolStats {
  threads: number;
  /** Recordings that are being transcribed. */
  running: number;
  /** Recordings that wait for a thread, and how many may. */
  waiting: number;
  queue: number;
  /** In bytes. */
  memory: {
    /** The model's weights: with libtorch once for all threads, with onnxruntime once for each. */
    weights: number;
    /** Of each thread, as it was after its last recording: JavaScript's heap and its arrays, without libtorch's. */
    threads: ThreadMemory[];
    /** Resident memory of the whole process. */
    process: number;
  };
}

/** A recogniser in threads, so that this one stays free for others: see {@link recognizerPool}. */
export class RecognizerPool {
  readonly #threads = new Set<PoolThread>();
  readonly #waiting: PoolJob[] = [];
  readonly #data: ThreadData;
  readonly #model: PoolModel;
  readonly #size: PoolSize;
  readonly #onNote: (text: string) => void;
  readonly #onBatch: (windows: number) => void;
  /** Once it is closed: what a recording then fails with. */
  #closed: PoolError | undefined;
  #jobs = 0;

  /** Made by {@link recognizerPool}. */
  private constructor(
    data: ThreadData,
    model: PoolModel,
    size: PoolSize,
    onNote: (text: string) => void,
    onBatch: (windows: number) => void,
  ) {
    if (!isObject(model) || !isObject(model.forThreads))
      throw new ConfigurationError(
        "new RecognizerPool must be called by recognizerPool alone, but is called with something else. Call await recognizerPool(model).",
      );
    this.#size = size;
    this.#data = { ...data, model: model.forThreads };
    this.#model = model;
    this.#onNote = onNote;
    this.#onBatch = onBatch;
  }

  /** @internal */
  static async start(
    model: CtcModel | string,
    {
      threads,
      together,
      queue,
      idleSeconds,
      onNote,
      onBatch,
      ...data
    }: Omit<ThreadData, "model"> &
      PoolSize & {
        engine: Engine;
        dtype: string | undefined;
        revision: string | undefined;
        language: string | undefined;
        precision: WantedPrecision | undefined;
        onNote: (text: string) => void;
        onBatch: (windows: number) => void;
      },
  ): Promise<RecognizerPool> {
    const { engine, dtype, revision, language, precision, ...settings } = data;
    const opened =
      engine === "onnx"
        ? await exportedModel(model as string, { language, dtype })
        : await sharedModel(model, { revision, language, precision }, settings, onNote);
    const pool = new RecognizerPool(
      { ...settings, model: opened.forThreads },
      opened,
      { queue, threads, together, idleSeconds },
      onNote,
      onBatch,
    );
    try {
      await Promise.all(Array.from({ length: threads }, () => pool.#add().ready));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /**
   * A whole recording, as `Recognizer.transcribe`, in one of the threads. It is read there too, so that this thread does
   * little more than to hand it over.
   *
   * @param source a path, a file's bytes, a stream, samples: see {@link AudioSource}
   * @param options.signal takes it out of the queue, or ends it between two windows
   * @throws UserError where the audio cannot be read or is none; `code` says what was wrong
   * @throws PoolError where too many wait, the pool is closed or the thread ended
   * @throws the signal's reason where it is aborted
   */
  async transcribe(source: AudioSource, options: PoolTranscribeOptions = {}): Promise<RecordingTranscript> {
    requireOptions("transcribe", options, POOL_TRANSCRIBE_OPTIONS);
    return await joinPieces(
      (onPartial) => this.#enter<Transcript>(transcription(source, { ...options, onPartial })),
      options.onPartial,
    );
  }

  /**
   * A recording of any length, piece after piece, as `Recognizer.stream`, in one of the threads, of whose places (`together`)
   * it keeps one until its end.
   *
   * @throws as {@link transcribe}
   */
  async *stream(source: AudioSource, options: PoolTranscribeOptions = {}): AsyncGenerator<Transcript> {
    requireOptions("stream", options, POOL_TRANSCRIBE_OPTIONS);
    yield* this.#enter<Transcript>(transcription(source, options));
  }

  /**
   * Where the words of a known text are in a recording, as `Aligner.align`, in one of the threads.
   *
   * @param text what is said in it; `*` stands for any speech
   * @throws as {@link transcribe}, and UserError where the text cannot be aligned to the audio
   */
  async align(source: AudioSource, text: string, options: AlignOptions = {}): Promise<Alignment> {
    requireArguments("align", { text: [text, ALIGNED_TEXT] });
    requireOptions("align", options, ALIGN_OPTIONS);
    const { name, respell, signal, onNote } = options;
    const task = { kind: "align", text, respell, name: name ?? nameOf(source) } as const;
    const request = { source, task, name, signal, onNote, raw: undefined, onPartial: undefined };
    let alignment: Alignment | undefined;
    for await (const result of this.#enter<Alignment>(request)) alignment = result;
    return alignment!; // a job that has none has failed
  }

  stats(): PoolStats {
    const threads = [...this.#threads];
    return {
      threads: threads.length,
      running: threads.reduce((sum, { jobs }) => sum + jobs, 0),
      waiting: this.#waiting.length,
      queue: this.#size.queue,
      memory: {
        weights: this.#model.bytes * (this.#model.forThreads.kind === "exported" ? threads.length : 1),
        threads: threads.map(({ memory }) => memory),
        process: process.memoryUsage.rss(),
      },
    };
  }

  /** Ends the threads, also those at work; what runs or waits fails with `ERR_POOL_CLOSED`. */
  async close(): Promise<void> {
    this.#closed ??= new PoolError("ERR_POOL_CLOSED", "The pool must be open, but was closed.");
    for (const job of this.#waiting.splice(0)) job.end(this.#closed);
    await Promise.all([...this.#threads].map((thread) => thread.close(this.#closed)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async *#enter<Result>(request: JobRequest): AsyncGenerator<Result> {
    request.signal?.throwIfAborted();
    // Of its own: one that many recordings share would get a listener of each.
    const signal = request.signal && AbortSignal.any([request.signal]);
    if (this.#closed) throw this.#closed;
    const hasRoom = [...this.#threads].some((thread) => thread.hasRoom);
    if (!hasRoom && this.#waiting.length >= this.#size.queue)
      throw new PoolError(
        "ERR_POOL_BUSY",
        `The pool must have a free place, but ${this.#waiting.length} recordings wait for its ${this.#threads.size} threads. Try again later.`,
      );
    while (this.#threads.size < this.#size.threads) this.#add();
    const job = new PoolJob<Result>(++this.#jobs, { ...request, signal });
    const stop = () => this.#stop(job, signal?.reason);
    signal?.addEventListener("abort", stop, { once: true });
    this.#waiting.push(job);
    this.#next();
    try {
      yield* job;
    } finally {
      signal?.removeEventListener("abort", stop);
      if (!job.ended) this.#stop(job, undefined); // nobody waits for the rest
    }
  }

  #stop(job: PoolJob, reason: unknown): void {
    job.end(reason);
    const place = this.#waiting.indexOf(job);
    if (place >= 0) this.#waiting.splice(place, 1);
    else for (const thread of this.#threads) thread.abort(job);
  }

  /** Gives those that wait to threads that have room: to the one that has the fewest. */
  #next(): void {
    while (this.#waiting.length > 0) {
      let freest: PoolThread | undefined;
      for (const thread of this.#threads)
        if (thread.hasRoom && (freest === undefined || thread.jobs < freest.jobs)) freest = thread;
      if (freest === undefined) return;
      void freest.begin(this.#waiting.shift()!);
    }
  }

  #add(): PoolThread {
    const events = {
      onRoom: () => this.#next(),
      onGone: (gone: PoolThread, cause: Error | undefined) => this.#replace(gone, cause),
      onNote: this.#onNote,
      onBatch: this.#onBatch,
    };
    const { together, idleSeconds } = this.#size;
    const thread = new PoolThread(this.#data, events, together, idleSeconds);
    this.#threads.add(thread);
    return thread;
  }

  #replace(gone: PoolThread, cause: Error | undefined): void {
    this.#threads.delete(gone);
    if (this.#closed) return;
    // One that never was ready might not be the next time either: another begins with the next recording.
    if (!cause) this.#add();
    else if (this.#threads.size === 0) {
      const message = `A thread of the pool must start, but ended: ${cause.message}. Try again.`;
      for (const job of this.#waiting.splice(0))
        job.end(new PoolError("ERR_POOL_THREAD", message, { cause }));
    }
  }
}

/**
 * Starts threads that transcribe with one model, whose weights they share. A server's own thread is then free to answer
 * whatever is being transcribed.
 *
 * @param model model directory, Hub id, or a model in memory, of which the weights are copied as they are now
 * @throws UserError when there is no such model, it is no recogniser, or the language model cannot be used
 */
export async function recognizerPool(
  model: CtcModel | string,
  options: RecognizerPoolOptions = {},
): Promise<RecognizerPool> {
  requireArguments("recognizerPool", { model: [model, CTC_MODEL_OR_NAME] });
  requireOptions("recognizerPool", options, OPTIONS);
  const cores = availableParallelism();
  const engine = engineFor(typeof model === "string" ? model : undefined, options.engine);
  refuseDtype(engine, options.dtype);
  if (engine === "onnx") {
    const { device, precision, revision } = options;
    refuseTorchOptions({ device, precision, revision });
  }
  const { threads = Math.max(1, Math.min(4, cores - 1)), queue = QUEUE, device = "auto", ...rest } = options;
  const { idleSeconds = IDLE_SECONDS, nice = NICE, together = 1, onBatch = () => {} } = options;
  const {
    torchThreads = Math.max(1, Math.floor(cores / threads)),
    revision,
    language,
    precision,
    dtype,
    onNote,
  } = rest;
  const { languageModel, beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight } = rest;
  requireKind("threads", threads, whole(1, MOST_THREADS));
  requireKind("together", together, whole(1, MOST_TOGETHER));
  requireKind("torchThreads", torchThreads, whole(1, 1024));
  requireKind("queue", queue, whole(0, Number.POSITIVE_INFINITY));
  requireKind("nice", nice, whole(0, MOST_NICE));
  requireKind("idleSeconds", idleSeconds, IDLE);
  return await RecognizerPool.start(model, {
    idleSeconds,
    nice,
    threads,
    together,
    torchThreads,
    queue,
    engine,
    dtype,
    device,
    revision,
    language,
    precision,
    decoding: { languageModel, beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight },
    onNote: once((text) => tellNote({ onNote }, text)),
    onBatch,
  });
}

function transcription(
  source: AudioSource,
  { words, windows, raw, name, signal, onPartial, onNote, hotwords }: PoolTranscribeOptions,
): JobRequest {
  const task = { kind: "transcribe", words, windows, partial: onPartial !== undefined, hotwords } as const;
  return { source, task, name, raw, signal, onPartial, onNote };
}

/** Tells what all threads say once. */
function once(onNote: (text: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    if (!told.has(text)) onNote(text);
    told.add(text);
  };
}
