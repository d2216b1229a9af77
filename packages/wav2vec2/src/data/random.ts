import { createHash } from "node:crypto";
import { type Kind, requireArguments, requireKind, whole } from "../argument-kinds.js";

const LIST: Kind = { must: "an array", holds: Array.isArray };
const NUMBER_OR_TEXT: Kind = {
  must: "a number or a string",
  holds: (value) => Number.isFinite(value) || typeof value === "string",
};

/**
 * xoshiro128** (https://prng.di.unimi.it/xoshiro128starstar.c), seeded by SHA-256. Each consumer names a
 * stream of its own, so that its numbers depend on the seed and the name, never on what others drew before.
 */
export class Random {
  readonly #state = new Uint32Array(4);

  /**
   * @param seed the run's seed
   * @param stream what the numbers are for, for example `"batches", epoch`
   */
  constructor(seed: number, ...stream: (string | number)[]) {
    requireArguments("new Random", { seed: [seed, NUMBER_OR_TEXT] });
    for (const part of stream) requireArguments("new Random", { stream: [part, NUMBER_OR_TEXT] });
    const digest = createHash("sha256")
      .update(JSON.stringify([seed, ...stream]))
      .digest();
    for (let i = 0; i < 4; i++) this.#state[i] = digest.readUInt32LE(i * 4);
  }

  /** An integer in [0, 2^32). */
  #next(): number {
    const s = this.#state;
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  /** A multiple of 2^-53 in [0, 1). */
  uniform(): number {
    const high = this.#next() >>> 5;
    const low = this.#next() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** An integer in [0, n). */
  integer(n: number): number {
    requireKind("n", n, whole(1));
    return Math.floor(this.uniform() * n);
  }

  /** Shuffles in place (Fisher-Yates) and returns the array. */
  shuffle<T>(array: T[]): T[] {
    requireArguments("shuffle", { array: [array, LIST] });
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [array[i], array[j]] = [array[j]!, array[i]!];
    }
    return array;
  }
}
