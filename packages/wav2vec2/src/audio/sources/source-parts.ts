import { turn } from "#platform/turn";

/** What the parts of a source are taken from. */
interface Origin {
  iterator: Iterator<unknown> | AsyncIterator<unknown>;
  /** Ends the wait for a part, even for one that never comes; its reason is then thrown. */
  signal?: AbortSignal | undefined;
  /** Lets go of the source, once. */
  release?: (() => void) | undefined;
  /** What is thrown where a part cannot be had. */
  broken?: ((error: unknown) => unknown) | undefined;
}

/** Bytes or samples of a part that are handed on at once: what is done with them does not hold the event loop for long. */
const MOST = 2 ** 16;

/**
 * The parts of a source that is read once, in order; large ones are divided, and the event loop has its turn in between. It must
 * be closed, also where nothing was read of it.
 */
export class SourceParts<Part> implements AsyncIterableIterator<Part> {
  readonly #origin: Origin;
  readonly #read: (part: unknown) => Part;
  #peeked: IteratorResult<unknown> | undefined;
  /** Of a large part, what was not given yet. */
  #rest: Uint8Array | Float32Array | undefined;
  #closed = false;

  /** @param read makes a part of what comes, or throws */
  constructor(origin: Origin, read: (part: unknown) => Part = (part) => part as Part) {
    this.#origin = origin;
    this.#read = read;
  }

  /** The same parts as `read` makes them; takes this one's place. */
  of<Other>(read: (part: unknown) => Other): SourceParts<Other> {
    const parts = new SourceParts(this.#origin, read);
    parts.#peeked = this.#peeked;
    return parts;
  }

  /** The first part, which `next` gives again; undefined where there is none. */
  async peek(): Promise<unknown> {
    this.#peeked = await this.#take();
    return this.#peeked.done ? undefined : this.#peeked.value;
  }

  async next(): Promise<IteratorResult<Part>> {
    if (this.#rest) {
      await turn();
      this.#origin.signal?.throwIfAborted();
    }
    if (this.#closed) return { done: true, value: undefined };
    if (this.#rest) return { done: false, value: this.#first(this.#rest) as Part };
    const next = this.#peeked ?? (await this.#take());
    this.#peeked = undefined;
    if (next.done) return { done: true, value: undefined };
    const part = this.#read(next.value);
    const isArray = part instanceof Uint8Array || part instanceof Float32Array;
    return { done: false, value: isArray ? (this.#first(part) as Part) : part };
  }

  /** As much of a part as is handed on at once. */
  #first(part: Uint8Array | Float32Array): Uint8Array | Float32Array {
    this.#rest = part.length > MOST ? part.subarray(MOST) : undefined;
    return part.length > MOST ? part.subarray(0, MOST) : part;
  }

  async return(): Promise<IteratorResult<Part>> {
    if (!this.#closed) this.#origin.release?.();
    this.#closed = true;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<IteratorResult<unknown>> {
    const { iterator, signal, broken } = this.#origin;
    try {
      signal?.throwIfAborted();
      return await untilAborted(iterator.next(), signal);
    } catch (error) {
      await this.return();
      signal?.throwIfAborted();
      throw broken ? broken(error) : error;
    }
  }
}

/** @throws the signal's reason where it is aborted before there is a result */
async function untilAborted<T>(result: T | Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal || !(result instanceof Promise)) return await result;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    signal.removeEventListener("abort", stop!);
  }
}
