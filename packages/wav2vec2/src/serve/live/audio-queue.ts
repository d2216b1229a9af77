/** Audio that came and was not taken yet, for a reader that takes all of it at once. */
export class AudioQueue implements AsyncIterable<Uint8Array> {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** @param onTaken is told when the reader has taken what there was */
  constructor(readonly onTaken: () => void) {}

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  push(part: Uint8Array): void {
    this.#parts.push(part);
    this.#bytes += part.length;
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.#parts.length > 0) {
        const all = Buffer.concat(this.#parts);
        this.#parts = [];
        this.#bytes = 0;
        this.onTaken();
        yield all;
      } else if (this.#ended) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}
