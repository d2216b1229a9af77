import type { Steps } from "../../../in-turns.js";
import { CharacterTrie } from "./character-trie.js";

/** Nodes that are looked at in one step. */
const NODES = 2 ** 13;

/** Words to be recognised more readily, by their beginnings; places in them are nodes of a trie. */
export class Hotwords {
  readonly #trie: CharacterTrie;
  /** Of each node, what its beginning adds: the weight's share of the shortest hotword that begins so. */
  readonly #bonus: Float64Array;
  /** Of each node, the longest other beginning that ends in the same letters. */
  readonly #failure: Int32Array;

  private constructor(trie: CharacterTrie, failure: Int32Array, bonus: Float64Array) {
    this.#trie = trie;
    this.#failure = failure;
    this.#bonus = bonus;
  }

  static *inSteps(words: readonly string[], weight: number): Steps<Hotwords> {
    const trie = yield* CharacterTrie.inSteps(new Map(words.map((word) => [word, 0])));
    const depth = new Int32Array(trie.size);
    const shortest = new Int32Array(trie.size).fill(2 ** 31 - 1);
    const failure = new Int32Array(trie.size);
    // Nodes stand level by level: parents before their children.
    for (let node = 1; node < trie.size; node++) {
      const parent = trie.parents[node]!;
      const unit = trie.unit(node);
      depth[node] = depth[parent]! + (isSecondHalf(unit) ? 0 : 1);
      if (parent !== CharacterTrie.ROOT) failure[node] = follow(trie, failure, parent, unit);
      if (node % NODES === 0) yield;
    }
    for (let node = trie.size - 1; node > 0; node--) {
      const parent = trie.parents[node]!;
      if (trie.values[node]! >= 0) shortest[node] = depth[node]!;
      shortest[parent] = Math.min(shortest[parent]!, shortest[node]!);
      if (node % NODES === 0) yield;
    }
    const bonus = Float64Array.from(depth, (length, node) => (weight * length) / shortest[node]!);
    return new Hotwords(trie, failure, bonus);
  }

  /** The place behind more letters of the same word, -1 where no hotword goes on so. */
  walk(node: number, text: string): number {
    return this.#trie.walk(node, text);
  }

  /** The place behind more letters where hotwords may begin at any letter (Aho and Corasick). */
  follow(node: number, text: string): number {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const child = this.#trie.child(node, unit);
      node = child >= 0 ? child : follow(this.#trie, this.#failure, node, unit);
    }
    return node;
  }

  bonus(node: number): number {
    return node < 0 ? 0 : this.#bonus[node]!;
  }

  isWord(node: number): boolean {
    return node >= 0 && this.#trie.values[node]! >= 0;
  }
}

/** The longest beginning that ends in a node's last letters and one more. */
function follow(trie: CharacterTrie, failure: Int32Array, node: number, unit: number): number {
  while (node !== CharacterTrie.ROOT) {
    node = failure[node]!;
    const child = trie.child(node, unit);
    if (child >= 0) return child;
  }
  return CharacterTrie.ROOT;
}

function isSecondHalf(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
