import type { Transcript } from "../../../wav2vec2/src/web/index.js";
import { threadCount } from "./engine.js";
import type { WorkerReply, WorkerRequest } from "./messages.js";
import { addressOf, type Site, type SiteModel } from "./site.js";
import { takeWorker } from "./spare-worker.js";

/** What a model is doing, for the page. */
export type ModelState =
  | { is: "idle" }
  | { is: "loading"; loaded: number; total: number }
  /** @property instead why it is not the GPU that would be faster */
  | {
      is: "ready";
      engine: "webgpu" | "wasm";
      threads: number;
      seconds: number;
      instead: string | undefined;
    }
  | { is: "failed"; message: string };

/** Gets what becomes known of a recording. */
export interface JobListener {
  onSamples?: ((samples: Float32Array) => void) | undefined;
  onPiece(transcript: Transcript): void;
  onPartial(text: string): void;
  onDone(seconds: number): void;
  onError(message: string, code: string): void;
}

/** The engine that a user wants: "auto" takes the GPU for models that are large enough to be worth its start. */
export type EngineChoice = "auto" | "webgpu" | "wasm";

/** Bytes of a network from which the GPU is faster in the end, start included. */
const LARGE = 100e6;
const NO_ADAPTER = "This browser has no WebGPU adapter.";

/** A model in a worker of its own. */
export class RecognizerClient {
  state: ModelState = { is: "idle" };
  readonly #jobs = new Map<number, JobListener>();
  #worker: Worker | undefined;
  #next = 1;
  #languageModel: File | undefined;
  /** Why it is not the GPU that would have been taken. */
  #instead: string | undefined;
  /** What is wrong with the user's language model. */
  languageProblem: string | undefined;

  constructor(
    readonly site: Site,
    readonly model: SiteModel,
    readonly choice: EngineChoice,
    readonly onState: (state: ModelState) => void,
  ) {}

  async load(): Promise<void> {
    if (this.state.is === "loading" || this.state.is === "ready") return;
    const began = performance.now();
    this.#set({ is: "loading", loaded: 0, total: this.model.bytes });
    const engine = await this.#engine();
    if (engine === undefined) {
      this.#set({
        is: "failed",
        message: `${NO_ADAPTER} Choose the processor instead.`,
      });
      return;
    }
    await this.#open(engine, began);
  }

  async #engine(): Promise<"webgpu" | "wasm" | undefined> {
    if (this.choice === "wasm") return "wasm";
    if (this.choice === "auto" && (!this.site.webgpu || !this.model.runsOnGpu || this.model.bytes < LARGE))
      return "wasm";
    const gpu = (navigator as { gpu?: { requestAdapter(): Promise<object | null> } }).gpu;
    const adapter = await gpu?.requestAdapter().catch(() => null);
    if (adapter) return "webgpu";
    this.#instead = NO_ADAPTER;
    return this.choice === "auto" ? "wasm" : undefined;
  }

  #open(engine: "webgpu" | "wasm", began: number): Promise<void> {
    this.#worker?.terminate();
    const worker = takeWorker();
    this.#worker = worker;
    const threads = threadCount();
    const { languageModel, directory, dtype } = this.model;
    const loaded = new Promise<void>((done) => {
      const failed = (message: string): void => {
        // What the GPU cannot do, the processor may.
        if (engine === "webgpu" && this.choice === "auto") {
          this.#instead = message;
          done(this.#open("wasm", began));
        } else {
          this.#set({ is: "failed", message });
          done();
        }
      };
      worker.onerror = ({ message }) => failed(message || "The worker could not be started.");
      worker.onmessage = ({ data }: MessageEvent<WorkerReply>) => {
        if (data.type === "progress")
          this.#set({ is: "loading", loaded: data.loaded, total: data.total ?? this.model.bytes });
        else if (data.type === "failed") failed(data.message);
        else if (data.type === "language") {
          this.languageProblem = data.message;
          this.onState(this.state);
        } else if (data.type === "ready") {
          if (this.#languageModel) this.#send({ type: "language", file: this.#languageModel });
          const seconds = (performance.now() - began) / 1000;
          const instead = this.#instead;
          this.#set({ is: "ready", engine: data.engine, threads: data.threads, seconds, instead });
          done();
        } else this.#tell(data);
      };
    });
    this.#send({
      type: "load",
      directory: addressOf(directory),
      dtype,
      runtime: addressOf("ort/"),
      engine,
      threads,
      ...(languageModel && { languageModel: { ...languageModel, address: addressOf(languageModel.file) } }),
    });
    return loaded;
  }

  #tell(reply: Exclude<WorkerReply, { type: "progress" | "ready" | "failed" | "language" }>): void {
    const listener = this.#jobs.get(reply.job);
    if (!listener) return;
    if (reply.type === "samples") listener.onSamples?.(reply.samples);
    else if (reply.type === "piece") listener.onPiece(reply.transcript);
    else if (reply.type === "partial") listener.onPartial(reply.text);
    else if (reply.type === "error" && reply.code === "ERR_GPU") void this.#leaveGpu(reply.message);
    else {
      this.#jobs.delete(reply.job);
      if (reply.type === "done") listener.onDone(reply.seconds);
      else if (reply.code !== "ABORTED") listener.onError(reply.message, reply.code);
    }
  }

  /** What the GPU no longer does, the processor may; its jobs learn of it when that is ready. */
  async #leaveGpu(message: string): Promise<void> {
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    if (this.choice === "auto") {
      this.#instead = message;
      this.#set({ is: "loading", loaded: 0, total: this.model.bytes });
      await this.#open("wasm", performance.now());
    } else {
      this.#worker?.terminate();
      this.#set({ is: "failed", message });
    }
    for (const job of jobs) job.onError(message, "ERR_GPU");
  }

  /** A language model of the user's for recordings from now on. Default: that of the site, if any */
  useLanguageModel(file: File | undefined): void {
    if (file === this.#languageModel) return;
    this.#languageModel = file;
    if (this.state.is === "ready") this.#send({ type: "language", file });
  }

  recognize(
    audio: Blob | { samples: Float32Array; sampleRate: number },
    name: string,
    hotwords: string[],
    listener: JobListener,
  ): number {
    const job = this.#begin(listener);
    this.#send({ type: "recognize", job, audio, name, hotwords });
    return job;
  }

  /** @returns a job that takes blocks until it is ended */
  listen(sampleRate: number, hotwords: string[], listener: JobListener): number {
    const job = this.#begin(listener);
    this.#send({ type: "listen", job, sampleRate, hotwords });
    return job;
  }

  push(job: number, samples: Float32Array): void {
    this.#send({ type: "block", job, samples });
  }

  end(job: number): void {
    this.#send({ type: "end", job });
  }

  cancel(job: number): void {
    this.#jobs.delete(job);
    this.#send({ type: "cancel", job });
  }

  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#jobs.clear();
  }

  #begin(listener: JobListener): number {
    const job = this.#next++;
    this.#jobs.set(job, listener);
    return job;
  }

  #send(request: WorkerRequest): void {
    this.#worker?.postMessage(request);
  }

  #set(state: ModelState): void {
    this.state = state;
    this.onState(state);
  }
}
