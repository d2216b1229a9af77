import { logAdd } from "./log-add.js";
import type { PrefixTree } from "./prefix-tree.js";

const NONE = -1;

/** Prefixes of a frame before the best are chosen. */
export class Candidates {
  count = 0;
  nodes = new Int32Array(0);
  /** ln P of the alignments that end in a blank, in the last label, in either. */
  blank = new Float64Array(0);
  label = new Float64Array(0);
  total = new Float64Array(0);
  /** `total` with what the words add. */
  score = new Float64Array(0);
  /** Those that are still in question: places in the arrays above. */
  order = new Int32Array(0);
  /** A hash table of places in `order`. */
  #table = new Int32Array(0);

  /** Makes room; what was there is lost. */
  reserve(capacity: number): void {
    if (capacity <= this.nodes.length) return;
    const room = Math.max(capacity, 2 * this.nodes.length);
    this.nodes = new Int32Array(room);
    this.blank = new Float64Array(room);
    this.label = new Float64Array(room);
    this.total = new Float64Array(room);
    this.score = new Float64Array(room);
    this.order = new Int32Array(room);
  }

  /** Scores all; puts those that are at most `margin` (below 0) worse than the best in question. @returns how many */
  rank(tree: PrefixTree, margin: number): number {
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.count; i++) {
      const node = this.nodes[i]!;
      const total = logAdd(this.blank[i]!, this.label[i]!);
      const score = total + tree.words[node]! + tree.partial[node]!;
      this.total[i] = total;
      this.score[i] = score;
      if (score > best) best = score;
    }
    let count = 0;
    for (let i = 0; i < this.count; i++) if (this.score[i]! >= best + margin) this.order[count++] = i;
    return count;
  }

  /**
   * Of candidates that whatever follows goes on from alike (same last label, same unfinished word, same state of the
   * language model) drops those that fall behind another both with a blank at the end and without. pyctcdecode's
   * `prune_history` does so by the last words and the sum of both.
   *
   * @param length of `order`
   * @returns how many are left, at its front
   */
  recombine(tree: PrefixTree, length: number): number {
    const table = this.#emptyTable(length);
    let count = 0;
    for (let i = 0; i < length; i++) {
      const candidate = this.order[i]!;
      let place = futureHash(tree, this.nodes[candidate]!) & (table.length - 1);
      let dropped = false;
      for (; table[place] !== NONE && !dropped; place = (place + 1) & (table.length - 1)) {
        const other = this.order[table[place]!]!;
        if (!haveSameFuture(tree, this.nodes[other]!, this.nodes[candidate]!)) continue;
        dropped = this.#dominates(tree, other, candidate);
        if (dropped || !this.#dominates(tree, candidate, other)) continue;
        this.order[table[place]!] = candidate;
        dropped = true;
      }
      if (dropped) continue;
      table[place] = count;
      this.order[count++] = candidate;
    }
    return count;
  }

  #dominates(tree: PrefixTree, better: number, worse: number): boolean {
    const ahead = tree.words[this.nodes[better]!]! - tree.words[this.nodes[worse]!]!;
    return (
      this.blank[better]! + ahead >= this.blank[worse]! && this.label[better]! + ahead >= this.label[worse]!
    );
  }

  #emptyTable(entries: number): Int32Array {
    let size = 16;
    while (size < 2 * entries) size *= 2;
    if (this.#table.length !== size) this.#table = new Int32Array(size);
    return this.#table.fill(NONE);
  }
}

function haveSameFuture(tree: PrefixTree, a: number, b: number): boolean {
  return (
    tree.state[a] === tree.state[b] &&
    tree.label[a] === tree.label[b] &&
    tree.lexicon[a] === tree.lexicon[b] &&
    tree.hotword[a] === tree.hotword[b] &&
    tree.length[a] === tree.length[b]
  );
}

function futureHash(tree: PrefixTree, node: number): number {
  let hash = Math.imul(tree.state[node]! | 0, 0x9e3779b1) ^ Math.imul(tree.lexicon[node]!, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 15) ^ tree.label[node]!, 0xc2b2ae35) ^ tree.hotword[node]!;
  return hash ^ (hash >>> 13);
}
