const [BACKOFF, SHORTER, EXTENSIONS] = [0, 1, 2] as const;
const FIELDS = 4;

/**
 * The contexts of an n-gram model, numbered: what each one's back-off is and what it backs off to.
 *
 * Most look-ups of a decoder find nothing and back off. So that they end here, in the line of the cache that backing off
 * needs anyway, a context remembers the words of the n-grams that extend it, folded into 64 bits: where a word's bit is
 * not set there is no need to look for its n-gram.
 */
export class StateTable {
  /** Of each state four numbers: log10 of the back-off (a float32), the shorter state, and the 64 bits. */
  readonly array: Int32Array;
  readonly #floats: Float32Array;

  constructor(array: Int32Array) {
    this.array = array;
    this.#floats = new Float32Array(array.buffer, array.byteOffset, array.length);
  }

  /** @throws RangeError where there is not enough memory for so many */
  static ofSize(states: number): StateTable {
    return new StateTable(new Int32Array(FIELDS * states));
  }

  backoff(state: number): number {
    return this.#floats[state * FIELDS + BACKOFF]!;
  }

  setBackoff(state: number, logWeight: number): void {
    this.#floats[state * FIELDS + BACKOFF] = logWeight;
  }

  /** The state of the context without its first word, or without its first ones; always a lower number. */
  shorter(state: number): number {
    return this.array[state * FIELDS + SHORTER]!;
  }

  setShorter(state: number, shorter: number): void {
    this.array[state * FIELDS + SHORTER] = shorter;
  }

  /** Whether an n-gram of this context and word may be there; false where it is not. */
  mayExtend(state: number, word: number): boolean {
    const bit = bitOf(word);
    // Shifts take the five lowest bits of their distance.
    return ((this.array[state * FIELDS + EXTENSIONS + (bit >> 5)]! >>> bit) & 1) === 1;
  }

  noteExtension(state: number, word: number): void {
    const bit = bitOf(word);
    const at = state * FIELDS + EXTENSIONS + (bit >> 5);
    this.array[at] = this.array[at]! | (1 << bit);
  }

  /** Whether the context matters: an n-gram extends it, or its back-off is not 1. */
  matters(state: number): boolean {
    const at = state * FIELDS;
    return this.#floats[at] !== 0 || (this.array[at + EXTENSIONS]! | this.array[at + EXTENSIONS + 1]!) !== 0;
  }
}

/** One of 64. */
function bitOf(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> 26;
}
