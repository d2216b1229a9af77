import { atOnce, type Steps } from "../../../in-turns.js";
import { sortedInSteps } from "./sorted-in-steps.js";

/** What a trie is made of, by node. */
interface TrieArrays {
  children: Int32Array;
  units: Uint16Array;
  values: Int32Array;
  parents: Int32Array;
}

/** Nodes that are made in one step. */
const NODES = 2 ** 12;

function* arraysOf(words: ReadonlyMap<string, number>): Steps<TrieArrays> {
  const sorted = yield* sortedInSteps([...words.keys()].filter((word) => word !== ""));
  // Level by level: a node is the range of words that begin alike.
  const children: number[] = [];
  const units: number[] = [0];
  const values: number[] = [];
  const parents: number[] = [-1];
  const starts: number[] = [0];
  const ends: number[] = [sorted.length];
  const lengths: number[] = [0];
  for (let node = 0; node < units.length; node++) {
    children.push(units.length);
    const length = lengths[node]!;
    let [word, end] = [starts[node]!, ends[node]!];
    const endsHere = word < end && sorted[word]!.length === length;
    values.push(endsHere ? words.get(sorted[word]!)! : -1);
    if (endsHere) word++;
    while (word < end) {
      const unit = sorted[word]!.charCodeAt(length);
      starts.push(word);
      while (word < end && sorted[word]!.charCodeAt(length) === unit) word++;
      ends.push(word);
      units.push(unit);
      parents.push(node);
      lengths.push(length + 1);
    }
    if (node % NODES === NODES - 1) yield;
  }
  children.push(units.length);
  const arrays = { children: new Int32Array(children), units: new Uint16Array(units) };
  yield;
  return { ...arrays, values: new Int32Array(values), parents: new Int32Array(parents) };
}

/**
 * Words by their beginnings, in flat arrays: a node is a beginning, the children of one stand side by side, sorted by
 * the UTF-16 unit that they add. A language model's 200,000 words take about 10 MB.
 */
export class CharacterTrie {
  static readonly ROOT = 0;
  /** Node of each beginning's first child; the next node's is behind its last one. */
  readonly #children: Int32Array;
  /** The unit that leads to each node. */
  readonly #units: Uint16Array;
  /** The value of the word that ends in each node, -1 where none does. */
  readonly values: Int32Array;
  /** The node before each one's last unit, -1 of the root. */
  readonly parents: Int32Array;

  /** @param words each with its value, which is at least 0; of equal words the last one's counts */
  constructor(words: ReadonlyMap<string, number> | TrieArrays) {
    const { children, units, values, parents } =
      words instanceof Map ? atOnce(arraysOf(words)) : (words as TrieArrays);
    this.#children = children;
    this.#units = units;
    this.values = values;
    this.parents = parents;
  }

  /** The same in steps. */
  static *inSteps(words: ReadonlyMap<string, number>): Steps<CharacterTrie> {
    return new CharacterTrie(yield* arraysOf(words));
  }

  get size(): number {
    return this.values.length;
  }

  /** The unit that leads to a node. */
  unit(node: number): number {
    return this.#units[node]!;
  }

  /** The node behind one more unit, -1 where no word goes on so; of -1 always -1. */
  child(node: number, unit: number): number {
    if (node < 0) return -1;
    let low = this.#children[node]!;
    let high = this.#children[node + 1]!;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#units[middle]! < unit) low = middle + 1;
      else high = middle;
    }
    return low < this.#children[node + 1]! && this.#units[low] === unit ? low : -1;
  }

  /** The node behind all of a text's units, -1 where no word goes on so. */
  walk(node: number, text: string): number {
    for (let i = 0; i < text.length && node >= 0; i++) node = this.child(node, text.charCodeAt(i));
    return node;
  }
}
