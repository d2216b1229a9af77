const LONGEST_MS = 1000;

/** Collects things for requests of many: for a second, or as many as one may hold. */
export class Batches<T> {
  #batch: T[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly most: number,
    private readonly send: (batch: readonly T[]) => void,
  ) {}

  add(item: T): void {
    this.#batch.push(item);
    if (this.#batch.length >= this.most) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length > 0) this.send(batch);
  }
}
