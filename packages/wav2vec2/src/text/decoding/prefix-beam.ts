import { Candidates } from "./candidates.js";
import type { ResolvedDecodingOptions } from "./decoding-options.js";
import { FrameReader } from "./frame-reader.js";
import { logAdd } from "./log-add.js";
import { PrefixTree } from "./prefix-tree.js";
import type { Path, Search } from "./search.js";
import { selectLargest } from "./select-largest.js";
import type { WordScorer } from "./words/word-scorer.js";

const NONE = -1;

/** What a prefix beam search needs to know of the vocabulary. */
export interface BeamTokens {
  size: number;
  blankId: number;
  delimiterId: number | undefined;
}

/**
 * Prefix beam search (Hannun et al. 2014, arXiv 1408.2873): the text whose alignments are the most likely together,
 * with what its words add. Best path decoding loses a label whose probability is spread over several frames, each of
 * which prefers the blank; this does not. Word delimiters in a row, at the beginning and at the end are the same text as
 * one or none, and their probabilities are added up.
 */
export class PrefixBeam implements Search {
  readonly #options: ResolvedDecodingOptions;
  readonly #scorer: WordScorer | undefined;
  readonly #reader: FrameReader;
  readonly #tree: PrefixTree;
  readonly #delimiter: number;
  /** The prefixes kept, with ln P of their alignments that end in a blank and of those that end in the last label, and of both. */
  #count = 1;
  readonly #beam: Int32Array;
  readonly #blank: Float64Array;
  readonly #label: Float64Array;
  readonly #total: Float64Array;
  /** The prefixes of the next frame, more than are kept. */
  readonly #next = new Candidates();
  readonly #recombines: boolean;
  /** Labels that prefixes go on with in this frame. */
  readonly #labels: Int32Array;

  /**
   * @param scorer of words; undefined where alignments alone count
   * @param several whether more than the best path is wanted: without that, prefixes are dropped that the same text can
   * only follow worse than another
   */
  constructor(
    tokens: BeamTokens,
    options: ResolvedDecodingOptions,
    scorer: WordScorer | undefined,
    several = false,
  ) {
    this.#options = options;
    this.#scorer = scorer;
    this.#recombines = scorer !== undefined && !several;
    this.#reader = new FrameReader(tokens.size, tokens.blankId);
    this.#delimiter = tokens.delimiterId ?? NONE;
    this.#labels = new Int32Array(tokens.size);
    this.#beam = new Int32Array(options.beamWidth);
    this.#blank = new Float64Array(options.beamWidth);
    this.#label = new Float64Array(options.beamWidth);
    this.#total = new Float64Array(options.beamWidth);
    this.#tree = new PrefixTree(scorer);
    const root = this.#tree.add(NONE, this.#delimiter); // a delimiter at the beginning is one in a row
    scorer?.begin(this.#tree, root);
    this.#beam[0] = root;
    this.#label[0] = Number.NEGATIVE_INFINITY;
  }

  get blankShare(): number {
    return this.#reader.blankShare;
  }

  push(logits: Float32Array, frames: number): void {
    this.#reader.check(logits, frames);
    for (let row = 0; row < frames; row++) {
      this.#reader.read(logits, row);
      this.#step();
    }
  }

  best(): Path {
    const tree = this.#tree;
    const slot = this.#bestSlot();
    const node = this.#beam[slot]!;
    const acousticScore = this.#total[slot]!;
    const score = acousticScore + tree.words[node]!;
    return { labels: tree.labels(node), score, acousticScore, lmScore: tree.lm[node]! };
  }

  cut(): void {
    const slot = this.#bestSlot();
    const total = this.#total[slot]!;
    this.#tree.reroot(this.#beam[slot]!);
    this.#count = 1;
    this.#beam[0] = 0;
    this.#blank[0] = this.#blank[slot]! - total;
    this.#label[0] = this.#label[slot]! - total;
    this.#total[0] = 0;
    this.#reader.restart();
  }

  finish(count: number): Path[] {
    const acoustic = new Map<number, number>();
    for (let i = 0; i < this.#count; i++) {
      const node = this.#withoutDelimiter(this.#beam[i]!);
      acoustic.set(node, logAdd(acoustic.get(node) ?? Number.NEGATIVE_INFINITY, this.#total[i]!));
    }
    const paths = (whole: boolean) =>
      [...acoustic]
        .map(([node, total]) => this.#finishedPath(node, total, whole))
        .sort((a, b) => b.score - a.score);
    let ranked = paths(true);
    // Where only known words may be, and none ends here, the unfinished ones are left out.
    if (ranked[0]!.score === Number.NEGATIVE_INFINITY) ranked = paths(false);
    return ranked.filter(({ score }, i) => i === 0 || score > Number.NEGATIVE_INFINITY).slice(0, count);
  }

  #step(): void {
    const labels = this.#likelyLabels();
    this.#next.reserve(this.#count * (1 + labels.length));
    this.#stay();
    this.#extend(labels);
    this.#keepBest();
    if (this.#tree.isCrowded) this.#tree.compact(this.#beam, this.#count);
  }

  /** The labels that are not pruned in this frame. */
  #likelyLabels(): Int32Array {
    const { logp, best, blankId, vocabularySize } = this.#reader;
    const { tokenMinLogp } = this.#options;
    let count = 0;
    for (let id = 0; id < vocabularySize; id++)
      if (id !== blankId && (logp[id]! >= tokenMinLogp || id === best)) this.#labels[count++] = id;
    return this.#labels.subarray(0, count);
  }

  /** Alignments that stay on their prefix: by a blank, or the last label once more. */
  #stay(): void {
    const next = this.#next;
    const tree = this.#tree;
    const { logp, blankId } = this.#reader;
    for (let i = 0; i < this.#count; i++) {
      const node = this.#beam[i]!;
      const last = tree.label[node]!;
      const total = this.#total[i]!;
      const repeated = last === this.#delimiter ? total : this.#label[i]!;
      tree.slot[node] = i;
      next.nodes[i] = node;
      next.blank[i] = total + logp[blankId]!;
      next.label[i] = last === NONE ? Number.NEGATIVE_INFINITY : repeated + logp[last]!;
    }
    next.count = this.#count;
  }

  /** Alignments that go on to one more label. */
  #extend(labels: Int32Array): void {
    const next = this.#next;
    const tree = this.#tree;
    const { logp } = this.#reader;
    const threshold = this.#threshold();
    for (let i = 0; i < this.#count; i++) {
      const node = this.#beam[i]!;
      const last = tree.label[node]!;
      const total = this.#total[i]!;
      const words = tree.words[node]!;
      for (let j = 0; j < labels.length; j++) {
        const label = labels[j]!;
        if (label === last && label === this.#delimiter) continue; // stays
        // The same label again needs a blank between.
        const score = (label === last ? this.#blank[i]! : total) + logp[label]!;
        let child = tree.find(node, label);
        const slot = child === NONE ? NONE : tree.slot[child]!;
        if (slot !== NONE) {
          next.label[slot] = logAdd(next.label[slot]!, score);
          continue;
        }
        if (!(score + words >= threshold)) continue;
        if (child === NONE) {
          if (this.#scorer && !this.#scorer.allows(tree, node, label)) continue;
          child = tree.add(node, label);
        }
        next.nodes[next.count] = child;
        next.blank[next.count] = Number.NEGATIVE_INFINITY;
        next.label[next.count++] = score;
      }
    }
  }

  /** What a prefix must reach before its new label adds to its words, not to be dropped at once. */
  #threshold(): number {
    const next = this.#next;
    const tree = this.#tree;
    let best = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < next.count; i++) {
      const node = next.nodes[i]!;
      const score = Math.max(next.blank[i]!, next.label[i]!) + tree.words[node]! + tree.partial[node]!;
      if (score > best) best = score;
    }
    // A likely label may go on from every prefix and leave what stays far behind.
    return best + this.#options.beamPruneLogp - (this.#scorer?.mostGain ?? 0);
  }

  /** Makes the best of the next frame's prefixes the beam. */
  #keepBest(): void {
    const next = this.#next;
    const { beamWidth, beamPruneLogp } = this.#options;
    let count = next.rank(this.#tree, beamPruneLogp);
    if (count > beamWidth) {
      selectLargest(next.order, count, next.score, beamWidth);
      count = beamWidth;
    }
    if (this.#recombines) count = next.recombine(this.#tree, count);
    for (let i = 0; i < this.#count; i++) this.#tree.slot[this.#beam[i]!] = NONE;
    this.#count = count;
    for (let i = 0; i < count; i++) {
      const from = next.order[i]!;
      this.#beam[i] = next.nodes[from]!;
      this.#blank[i] = next.blank[from]!;
      this.#label[i] = next.label[from]!;
      this.#total[i] = next.total[from]!;
    }
  }

  #bestSlot(): number {
    const { words, partial } = this.#tree;
    const score = (slot: number) =>
      this.#total[slot]! + words[this.#beam[slot]!]! + partial[this.#beam[slot]!]!;
    let best = 0;
    for (let i = 1; i < this.#count; i++) if (score(i) > score(best)) best = i;
    return best;
  }

  /** @param whole false leaves an unfinished word out */
  #finishedPath(node: number, acousticScore: number, whole: boolean): Path {
    const tree = this.#tree;
    let last = node;
    while (!whole && tree.length[last]! > 0 && tree.parent[last] !== NONE) last = tree.parent[last]!;
    const { words, lm } = this.#scorer?.end(tree, last, whole) ?? { words: 0, lm: 0 };
    const labels = tree.labels(this.#withoutDelimiter(last));
    return { labels, score: acousticScore + words, acousticScore, lmScore: lm };
  }

  /** The prefix of the same text without a delimiter at its end. */
  #withoutDelimiter(node: number): number {
    const { label, parent } = this.#tree;
    return this.#delimiter !== NONE && label[node] === this.#delimiter && parent[node] !== NONE
      ? parent[node]!
      : node;
  }
}
