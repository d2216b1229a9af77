/** A beginning of the transcript, with the probabilities of all its alignments so far, in logarithms. */
class Prefix {
  readonly #children = new Map<number, Prefix>();
  /** Alignments that end in a blank, and those that end in the last label. */
  blank = Number.NEGATIVE_INFINITY;
  label = Number.NEGATIVE_INFINITY;
  nextBlank = Number.NEGATIVE_INFINITY;
  nextLabel = Number.NEGATIVE_INFINITY;

  constructor(
    readonly parent: Prefix | undefined,
    readonly last: number,
  ) {}

  get total(): number {
    return logAdd(this.blank, this.label);
  }

  followedBy(label: number): Prefix {
    let child = this.#children.get(label);
    if (!child) {
      child = new Prefix(this, label);
      this.#children.set(label, child);
    }
    return child;
  }

  /** Takes the sums of the frame that has ended. */
  advance(): void {
    [this.blank, this.label] = [this.nextBlank, this.nextLabel];
    this.nextBlank = this.nextLabel = Number.NEGATIVE_INFINITY;
  }
}

/** Labels this much less likely than a frame's best (in nats) are not followed. */
const PRUNE = 12;

/**
 * Prefix beam search of one utterance (Hannun et al. 2014, arXiv 1408.2873, without a language model): the labels
 * whose alignments are the most likely together. Best path decoding loses a label whose probability is spread over
 * several frames, each of which prefers the blank; this does not.
 *
 * @param logits [frames * vocabularySize], row by row; log-probabilities do as well
 * @param beamWidth prefixes kept after each frame
 * @throws RangeError where the sizes do not fit or a frame holds NaN
 */
export function beamDecode(
  logits: Float32Array,
  frames: number,
  vocabularySize: number,
  blankId: number,
  beamWidth: number,
): Int32Array {
  if (logits.length !== frames * vocabularySize)
    throw new RangeError(`logits must hold ${frames} x ${vocabularySize} values, but hold ${logits.length}.`);
  if (!(beamWidth >= 1)) throw new RangeError(`beamWidth must be at least 1, but is ${beamWidth}.`);
  const root = new Prefix(undefined, -1);
  root.blank = 0;
  let beam = [root];
  for (let frame = 0; frame < frames; frame++) {
    const scores = logSoftmax(logits.subarray(frame * vocabularySize, (frame + 1) * vocabularySize), frame);
    const best = scores.reduce((highest, score) => Math.max(highest, score));
    const touched = new Set<Prefix>();
    for (const prefix of beam) {
      const total = prefix.total;
      touched.add(prefix);
      prefix.nextBlank = logAdd(prefix.nextBlank, total + scores[blankId]!);
      if (prefix.last >= 0) prefix.nextLabel = logAdd(prefix.nextLabel, prefix.label + scores[prefix.last]!);
      for (const [label, score] of scores.entries()) {
        if (label === blankId || score < best - PRUNE) continue;
        const child = prefix.followedBy(label);
        touched.add(child);
        // The same label again needs a blank between.
        child.nextLabel = logAdd(child.nextLabel, (label === prefix.last ? prefix.blank : total) + score);
      }
    }
    for (const prefix of touched) prefix.advance();
    beam = [...touched].sort((a, b) => b.total - a.total).slice(0, beamWidth);
  }
  const labels: number[] = [];
  for (let prefix = beam[0]; prefix?.parent; prefix = prefix.parent) labels.push(prefix.last);
  return Int32Array.from(labels.reverse());
}

function logAdd(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY) return b;
  if (b === Number.NEGATIVE_INFINITY) return a;
  return a > b ? a + Math.log1p(Math.exp(b - a)) : b + Math.log1p(Math.exp(a - b));
}

function logSoftmax(row: Float32Array, frame: number): Float64Array {
  const highest = row.reduce((max, value) => Math.max(max, value), Number.NEGATIVE_INFINITY);
  if (Number.isNaN(highest)) throw new RangeError(`logits must be numbers, but frame ${frame} holds NaN.`);
  const sum = row.reduce((total, value) => total + Math.exp(value - highest), 0);
  return Float64Array.from(row, (value) => value - highest - Math.log(sum));
}
