import type { AudioSource } from "../../audio/audio-source.js";
import type { Transcript } from "../../text/formats/transcript.js";
import type { TranscribeOptions } from "../recognizer.js";

/** Something to transcribe, from when it waits to when it ends; its pieces are iterated over as they come. */
export class PoolJob implements AsyncIterable<Transcript> {
  /** What came and was not taken yet. */
  readonly #pieces: Transcript[] = [];
  #ended = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** @param id a number of its own */
  constructor(
    readonly id: number,
    readonly source: AudioSource,
    readonly options: TranscribeOptions,
  ) {}

  get ended(): boolean {
    return this.#ended;
  }

  add(piece: Transcript): void {
    if (this.#ended) return;
    this.#pieces.push(piece);
    this.#wake?.();
  }

  /** @param error where it failed; what came before is given first */
  end(error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Transcript> {
    for (;;) {
      for (let piece = this.#pieces.shift(); piece; piece = this.#pieces.shift()) yield piece;
      if (this.#ended) break;
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    if (this.#error !== undefined) throw this.#error;
  }
}
