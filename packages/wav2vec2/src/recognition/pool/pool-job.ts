import type { AudioSource } from "../../audio/audio-source.js";
import type { OnNote } from "../../audio/decoded-audio.js";
import type { RawFormat } from "../../audio/wav/raw-format.js";
import type { JobTask } from "./messages.js";

/** What a job is, and who is told of it. */
export interface JobRequest {
  source: AudioSource;
  task: JobTask;
  /** What messages call the recording. */
  name: string | undefined;
  raw: RawFormat | undefined;
  signal: AbortSignal | undefined;
  onPartial: ((text: string) => void) | undefined;
  onNote: OnNote | undefined;
}

/** A recording for a thread, from when it waits to when it ends; its results are iterated over as they come. */
export class PoolJob<Result = unknown> implements AsyncIterable<Result> {
  /** What came and was not taken yet. */
  readonly #results: Result[] = [];
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** @param id a number of its own */
  constructor(
    readonly id: number,
    readonly request: JobRequest,
  ) {}

  get ended(): boolean {
    return this.#ended;
  }

  add(result: Result): void {
    if (this.#ended) return;
    this.#results.push(result);
    this.#wake?.();
  }

  /** @param error where it failed; what came before is given first */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Result> {
    for (;;) {
      while (this.#results.length > 0) yield this.#results.shift()!;
      if (this.#ended) break;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }
}
