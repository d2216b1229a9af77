const FIELDS = 2;

/** What each word is worth where nothing is known of the words before. */
export class UnigramTable {
  /** Of each word two numbers: log10 of its probability (a float32) and the state behind it. */
  readonly array: Int32Array;
  readonly #floats: Float32Array;

  constructor(array: Int32Array) {
    this.array = array;
    this.#floats = new Float32Array(array.buffer, array.byteOffset, array.length);
  }

  static ofSize(words: number): UnigramTable {
    return new UnigramTable(new Int32Array(FIELDS * words));
  }

  logProbability(word: number): number {
    return this.#floats[word * FIELDS]!;
  }

  next(word: number): number {
    return this.array[word * FIELDS + 1]!;
  }

  set(word: number, logProbability: number): void {
    this.#floats[word * FIELDS] = logProbability;
  }

  setNext(word: number, state: number): void {
    this.array[word * FIELDS + 1] = state;
  }
}
