import type { WordScorer } from "./words/word-scorer.js";

const NONE = -1;

/**
 * The prefixes that a search has met, as a tree in flat arrays: a prefix is a node, its labels those on the way from the
 * root. A node is found again by its parent and label, also where it left the beam and comes back, as long as a prefix
 * of the beam goes on from it; others are removed from time to time.
 */
export class PrefixTree {
  /** Nodes in use: 0 to size - 1, parents before their children. The root is 0. */
  size = 0;
  parent = new Int32Array(0);
  /** The last label, -1 where there is none. */
  label = new Int32Array(0);
  /** Where the search has the prefix in this frame, -1 where it has not. */
  slot = new Int32Array(0);
  /** Letters of the unfinished word. */
  length = new Int32Array(0);
  /** Its place among the language model's words, -1 where none begins so. */
  lexicon = new Int32Array(0);
  /** Its place among the hotwords, -1 where none begins so. */
  hotword = new Int32Array(0);
  /** The language model's state behind the finished words. */
  state = new Float64Array(0);
  /** What the finished words add to the score. */
  words = new Float64Array(0);
  /** What the unfinished word adds for now. */
  partial = new Float64Array(0);
  /** ln P(finished words) by the language model. */
  lm = new Float64Array(0);
  #firstChild = new Int32Array(0);
  #nextSibling = new Int32Array(0);
  #capacity = 0;
  #limit: number;

  /** @param crowd nodes from which on it is time to compact them */
  constructor(
    private readonly scorer: WordScorer | undefined,
    private readonly crowd = 1 << 14,
  ) {
    this.#limit = crowd;
    this.#resize(2 * crowd);
  }

  /** Whether there are so many nodes that it is time to compact them. */
  get isCrowded(): boolean {
    return this.size >= this.#limit;
  }

  /** The node's child, -1 where it is not there. */
  find(node: number, label: number): number {
    let child = this.#firstChild[node]!;
    while (child !== NONE && this.label[child] !== label) child = this.#nextSibling[child]!;
    return child;
  }

  /** A new node; the caller says that it is not there yet. */
  add(parent: number, label: number): number {
    if (this.size === this.#capacity) this.#resize(2 * this.#capacity);
    const node = this.size++;
    this.parent[node] = parent;
    this.label[node] = label;
    this.slot[node] = NONE;
    this.#firstChild[node] = NONE;
    this.#nextSibling[node] = NONE;
    if (parent !== NONE) {
      this.#nextSibling[node] = this.#firstChild[parent]!;
      this.#firstChild[parent] = node;
      this.scorer?.extend(this, parent, node, label);
    }
    return node;
  }

  /** Labels on the way from the root. */
  labels(node: number): Int32Array {
    let count = 0;
    for (let at = node; this.parent[at] !== NONE; at = this.parent[at]!) count++;
    const labels = new Int32Array(count);
    for (let at = node; this.parent[at] !== NONE; at = this.parent[at]!) labels[--count] = this.label[at]!;
    return labels;
  }

  /** Keeps the given nodes and what they go on from; puts their new numbers in place of the old. */
  compact(kept: Int32Array, count: number): void {
    const moved = new Int32Array(this.size).fill(NONE);
    for (let i = 0; i < count; i++)
      for (let at = kept[i]!; at !== NONE && moved[at] === NONE; at = this.parent[at]!) moved[at] = 0;
    const size = this.size;
    this.size = 0;
    for (let node = 0; node < size; node++) {
      if (moved[node] === NONE) continue;
      const to = this.size++; // at most `node`, so that nothing is overwritten that is still needed
      moved[node] = to;
      const parent = this.parent[node] === NONE ? NONE : moved[this.parent[node]!]!;
      this.#copy(node, to);
      this.parent[to] = parent;
      this.slot[to] = NONE;
      this.#firstChild[to] = NONE;
      this.#nextSibling[to] = NONE;
      if (parent === NONE) continue;
      this.#nextSibling[to] = this.#firstChild[parent]!;
      this.#firstChild[parent] = to;
    }
    for (let i = 0; i < count; i++) kept[i] = moved[kept[i]!]!;
    this.#limit = Math.max(this.crowd, 2 * this.size);
  }

  /** Makes a node the root, without its labels and score; all others are removed. */
  reroot(node: number): void {
    this.#copy(node, 0);
    this.parent[0] = NONE;
    this.#firstChild[0] = NONE;
    this.#nextSibling[0] = NONE;
    this.slot[0] = NONE;
    this.words[0] = 0;
    this.lm[0] = 0;
    this.size = 1;
  }

  #copy(from: number, to: number): void {
    this.label[to] = this.label[from]!;
    this.length[to] = this.length[from]!;
    this.lexicon[to] = this.lexicon[from]!;
    this.hotword[to] = this.hotword[from]!;
    this.state[to] = this.state[from]!;
    this.words[to] = this.words[from]!;
    this.partial[to] = this.partial[from]!;
    this.lm[to] = this.lm[from]!;
  }

  #resize(capacity: number): void {
    const integers = (old: Int32Array) => {
      const grown = new Int32Array(capacity);
      grown.set(old);
      return grown;
    };
    const floats = (old: Float64Array) => {
      const grown = new Float64Array(capacity);
      grown.set(old);
      return grown;
    };
    this.parent = integers(this.parent);
    this.label = integers(this.label);
    this.slot = integers(this.slot);
    this.length = integers(this.length);
    this.lexicon = integers(this.lexicon);
    this.hotword = integers(this.hotword);
    this.state = floats(this.state);
    this.words = floats(this.words);
    this.partial = floats(this.partial);
    this.lm = floats(this.lm);
    this.#firstChild = integers(this.#firstChild);
    this.#nextSibling = integers(this.#nextSibling);
    this.#capacity = capacity;
  }
}
