/**
 * Words and their numbers, 0, 1, ... in the order in which they came, in a few flat arrays: a table of a million words
 * takes no time to load from a file and none of the collector's.
 */
export class WordTable {
  readonly arrays: WordArrays;
  /** For a word's bytes on the way to its number. */
  #scratch = new Uint8Array(256);

  constructor(arrays: WordArrays) {
    this.arrays = arrays;
  }

  get size(): number {
    return this.arrays.ends.length;
  }

  word(id: number): string {
    const { bytes, ends } = this.arrays;
    return decoder.decode(bytes.subarray(id === 0 ? 0 : ends[id - 1]!, ends[id]!));
  }

  /** The word's number, -1 where it is not one of them. */
  find(word: string): number {
    // UTF-8 has at most three bytes for each unit of UTF-16.
    if (this.#scratch.length < 3 * word.length) this.#scratch = new Uint8Array(6 * word.length);
    const scratch = this.#scratch;
    let length = 0;
    for (; length < word.length; length++) {
      const code = word.charCodeAt(length);
      if (code > 127) {
        length = encoder.encodeInto(word, scratch).written;
        break;
      }
      scratch[length] = code;
    }
    return findBytes(this.arrays, scratch, 0, length);
  }
}

export interface WordArrays {
  /** All words in UTF-8, one behind another. */
  readonly bytes: Uint8Array;
  /** Where each word ends in it. */
  readonly ends: Uint32Array;
  /** Open addressing by hash: a word's number + 1, 0 where there is none. */
  readonly slots: Uint32Array;
}

/** Fills a table for up to as many words as it is made for. */
export class WordTableBuilder {
  #bytes = new Uint8Array(1 << 16);
  readonly #ends: Uint32Array;
  readonly #slots: Uint32Array;
  #size = 0;

  /** @throws RangeError where there is not enough memory for so many */
  constructor(capacity: number) {
    this.#ends = new Uint32Array(capacity);
    this.#slots = new Uint32Array(2 * capacity + 1);
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the word in bytes[start, end), -1 where it is not one of them. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return findBytes({ bytes: this.#bytes, ends: this.#ends, slots: this.#slots }, bytes, start, end);
  }

  /** @returns whether it was not there yet */
  add(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.find(bytes, start, end) >= 0) return false;
    const from = this.#size === 0 ? 0 : this.#ends[this.#size - 1]!;
    const to = from + end - start;
    if (to > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(to, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(bytes.subarray(start, end), from);
    this.#ends[this.#size] = to;
    let slot = hash(bytes, start, end) % this.#slots.length;
    while (this.#slots[slot] !== 0) slot = slot + 1 === this.#slots.length ? 0 : slot + 1;
    this.#slots[slot] = ++this.#size;
    return true;
  }

  finish(): WordTable {
    const length = this.#size === 0 ? 0 : this.#ends[this.#size - 1]!;
    return new WordTable({
      bytes: this.#bytes.slice(0, length),
      ends: this.#ends.subarray(0, this.#size),
      slots: this.#slots,
    });
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function findBytes(table: WordArrays, bytes: Uint8Array, start: number, end: number): number {
  const { slots, ends } = table;
  let slot = hash(bytes, start, end) % slots.length;
  for (let tried = 0; tried < slots.length; tried++) {
    const id = slots[slot]! - 1;
    if (id < 0) return -1;
    const from = id === 0 ? 0 : ends[id - 1]!;
    if (ends[id]! - from === end - start && equal(table.bytes, from, bytes, start, end)) return id;
    slot = slot + 1 === slots.length ? 0 : slot + 1;
  }
  return -1;
}

function equal(a: Uint8Array, from: number, b: Uint8Array, start: number, end: number): boolean {
  for (let i = start, j = from; i < end; i++, j++) if (a[j] !== b[i]) return false;
  return true;
}

/** FNV-1a, and murmur3's last steps, without which its low bits say little. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let h = 0x811c9dc5;
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
