/** What an entry has at these places behind its beginning. */
const [CONTEXT, WORD, LOG_PROBABILITY, NEXT] = [0, 1, 2, 3] as const;
const FIELDS = 4;
/** Slots for each n-gram: where it is there, it is found in the second one on average. */
const SLOTS_PER_NGRAM = 1.5;

/**
 * The n-grams of two words and more by context and last word: open addressing with 16 bytes a slot, so that a look-up
 * reads memory in one place. Contexts are states, never 0, which marks a slot that is free.
 */
export class NgramTable {
  /** Of each slot four numbers: context, word, log10 of the probability (a float32), next state. */
  readonly array: Int32Array;
  readonly #floats: Float32Array;
  readonly #slots: number;
  readonly #scale: number;

  constructor(array: Int32Array) {
    this.array = array;
    this.#floats = new Float32Array(array.buffer, array.byteOffset, array.length);
    this.#slots = array.length / FIELDS;
    this.#scale = this.#slots / 2 ** 32;
  }

  /** @throws RangeError where there is not enough memory for so many */
  static ofCapacity(ngrams: number): NgramTable {
    return new NgramTable(new Int32Array(FIELDS * (Math.ceil(SLOTS_PER_NGRAM * ngrams) + 1)));
  }

  /** Where the n-gram's entry is, -1 where there is none. */
  find(context: number, word: number): number {
    const { array } = this;
    let slot = this.#home(context, word);
    // A damaged file may have no free slot; this ends nevertheless.
    for (let tried = 0; tried < this.#slots; tried++) {
      const at = slot * FIELDS;
      const found = array[at + CONTEXT]!;
      if (found === context && array[at + WORD] === word) return at;
      if (found === 0) return -1;
      if (++slot === this.#slots) slot = 0;
    }
    return -1;
  }

  /** Log10 of the probability of the n-gram at `at`. */
  logProbability(at: number): number {
    return this.#floats[at + LOG_PROBABILITY]!;
  }

  next(at: number): number {
    return this.array[at + NEXT]!;
  }

  setNext(at: number, state: number): void {
    this.array[at + NEXT] = state;
  }

  /** @returns whether it was not there yet */
  add(context: number, word: number, logProbability: number, next: number): boolean {
    const { array } = this;
    let slot = this.#home(context, word);
    for (; array[slot * FIELDS + CONTEXT] !== 0; slot = slot + 1 === this.#slots ? 0 : slot + 1) {
      const at = slot * FIELDS;
      if (array[at + CONTEXT] === context && array[at + WORD] === word) return false;
    }
    const at = slot * FIELDS;
    array[at + CONTEXT] = context;
    array[at + WORD] = word;
    this.#floats[at + LOG_PROBABILITY] = logProbability;
    array[at + NEXT] = next;
    return true;
  }

  get slots(): number {
    return this.#slots;
  }

  /** Calls `visit` for each n-gram in `count` slots from `slot` on whose context is one of [from, to). */
  forEach(
    from: number,
    to: number,
    visit: (at: number, context: number, word: number) => void,
    { slot, count }: { slot: number; count: number },
  ): void {
    const { array } = this;
    const end = Math.min(array.length, (slot + count) * FIELDS);
    for (let at = slot * FIELDS; at < end; at += FIELDS) {
      const context = array[at + CONTEXT]!;
      if (context >= from && context < to) visit(at, context, array[at + WORD]!);
    }
  }

  #home(context: number, word: number): number {
    let h = Math.imul(context, 0x9e3779b1) ^ Math.imul(word, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 15), 0xc2b2ae35);
    return (((h ^ (h >>> 16)) >>> 0) * this.#scale) | 0;
  }
}
