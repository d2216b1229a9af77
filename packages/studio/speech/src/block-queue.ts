/** Blocks of samples from who has them as they come to who takes them one after another. */
export class BlockQueue implements AsyncIterable<Float32Array> {
  readonly #blocks: Float32Array[] = [];
  #isOver = false;
  #wake = (): void => {};

  push(block: Float32Array): void {
    if (this.#isOver) return;
    this.#blocks.push(block);
    this.#wake();
  }

  /** No more will come; what is there is still given. */
  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array> {
    for (;;) {
      const block = this.#blocks.shift();
      if (block) yield block;
      else if (this.#isOver) return;
      else
        await new Promise<void>((wake) => {
          this.#wake = wake;
        });
    }
  }
}
