import { atOnce, type Steps } from "../../in-turns.js";

/** States, one of a frame each, and frames that are gone through in a step. */
const STATES_A_STEP = 2 ** 20;
const FRAMES_A_STEP = 2 ** 12;

/** Stands among labels for any speech: it costs nothing at any frame, as torchaudio's star token. */
export const WILDCARD = -1;

/** The frames of one label. */
export interface LabelSpan {
  /** First frame. */
  start: number;
  /** The frame behind the last. */
  end: number;
  /** Mean over the frames of the label's probability; 1 for a wildcard. */
  probability: number;
}

/** The likeliest way through emissions that reads as given labels. */
export interface ForcedAlignment {
  /** The token of each frame, blanks and wildcards among them. */
  path: Int32Array;
  /** ln of each frame's token's probability; 0 for a wildcard. */
  scores: Float64Array;
  /** A span for each label; blanks lie between them. */
  spans: LabelSpan[];
  /** ln of the path's probability: the sum of its scores. */
  score: number;
}

/** The fewest frames that labels fit: one each, and a blank between two that are equal. */
export function framesNeeded(labels: Int32Array): number {
  let frames = labels.length;
  for (let i = 1; i < labels.length; i++) if (labels[i] === labels[i - 1]) frames++;
  return frames;
}

/**
 * Aligns labels to emissions by CTC's Viterbi search, as torchaudio.functional.forced_align and merge_tokens
 * (https://docs.pytorch.org/audio/stable/generated/torchaudio.functional.forced_align.html). The sums are of double
 * precision; where paths are exactly as good, the latest change of state is taken, and a path that ends with a label
 * goes before one that ends with a blank. torchaudio has the same rule save one case: where entering a label from the
 * blank and from the label before are exactly as good, it stays where it is, though that is worse.
 *
 * Memory besides the results: states are kept every so many frames and what lies between is searched again, backwards,
 * where the path can be. With S = 2 labels + 1 these are 6 (2 S frames)^(2/3) bytes: 7 MB for ten minutes with 10,000
 * labels.
 *
 * @param logits [frames * size], row by row; log-probabilities do as well
 * @param size of the vocabulary
 * @param labels tokens without blanks, repeats kept, {@link WILDCARD} among them
 * @throws RangeError where the sizes do not fit, a frame holds other than finite numbers, a label is none of the
 * vocabulary or the blank, or there are fewer frames than {@link framesNeeded}
 */
export function forcedAlignment(
  logits: Float32Array,
  frames: number,
  size: number,
  blankId: number,
  labels: Int32Array,
): ForcedAlignment {
  return atOnce(alignmentSteps(logits, frames, size, blankId, labels));
}

/** {@link forcedAlignment} in steps of some milliseconds. */
export function* alignmentSteps(
  logits: Float32Array,
  frames: number,
  size: number,
  blankId: number,
  labels: Int32Array,
): Steps<ForcedAlignment> {
  const emissions = yield* FrameScores.make(logits, frames, size);
  requireLabels(labels, size, blankId, frames);
  const states = labels.length === 0 ? new Int32Array(frames) : yield* bestStates(emissions, blankId, labels);
  const tokens = states.map((state) => (state % 2 === 0 ? blankId : labels[state >> 1]!));
  const scores = Float64Array.from(tokens, (token, frame) => emissions.row(frame).at(token)!); // a wildcard's is the last
  return {
    path: tokens,
    scores,
    spans: spansOf(states, scores, labels.length),
    score: scores.reduce((sum, score) => sum + score, 0),
  };
}

function requireLabels(labels: Int32Array, size: number, blankId: number, frames: number): void {
  const wrong = labels.findIndex(
    (label) => label !== WILDCARD && (label < 0 || label >= size || label === blankId),
  );
  if (wrong >= 0)
    throw new RangeError(
      `labels must be from 0 to ${size - 1} and not the blank, ${blankId}, but label ${wrong} is ${labels[wrong]}.`,
    );
  const needed = framesNeeded(labels);
  if (needed > frames)
    throw new RangeError(
      `frames must be at least ${needed} for ${labels.length} labels, repeats apart, but are ${frames}.`,
    );
}

/** ln p of tokens at frames. */
class FrameScores {
  readonly #logits: Float32Array;
  readonly #size: number;
  /** ln of the sum of a frame's exponentials. */
  readonly #norms: Float64Array;
  readonly #row: Float64Array;

  private constructor(logits: Float32Array, frames: number, size: number) {
    this.#logits = logits;
    this.#size = size;
    this.#row = new Float64Array(size + 1);
    this.#norms = new Float64Array(frames);
  }

  static *make(logits: Float32Array, frames: number, size: number): Steps<FrameScores> {
    if (logits.length !== frames * size)
      throw new RangeError(`logits must hold ${frames} x ${size} numbers, but hold ${logits.length}.`);
    const scores = new FrameScores(logits, frames, size);
    for (let frame = 0; frame < frames; frame++) {
      scores.#norms[frame] = scores.#norm(frame);
      if (frame % FRAMES_A_STEP === FRAMES_A_STEP - 1) yield;
    }
    return scores;
  }

  #norm(frame: number): number {
    const begin = frame * this.#size;
    let highest = Number.NEGATIVE_INFINITY;
    let total = 0;
    for (let i = begin; i < begin + this.#size; i++) {
      const value = this.#logits[i]!;
      if (value > highest) highest = value;
      total += value;
    }
    if (!Number.isFinite(total))
      throw new RangeError(`logits must be finite numbers, but some at frame ${frame} are not.`);
    let sum = 0;
    for (let i = begin; i < begin + this.#size; i++) sum += Math.exp(this.#logits[i]! - highest);
    return highest + Math.log(sum);
  }

  get frames(): number {
    return this.#norms.length;
  }

  /** A wildcard's place in a row. */
  get wildcard(): number {
    return this.#size;
  }

  /** Of one frame, a wildcard's behind the vocabulary; valid until the next is asked for. */
  row(frame: number): Float64Array {
    const begin = frame * this.#size;
    const norm = this.#norms[frame]!;
    for (let token = 0; token < this.#size; token++) this.#row[token] = this.#logits[begin + token]! - norm;
    return this.#row;
  }
}

/** Values of neighbouring states. */
interface Checkpoint {
  first: number;
  values: Float64Array;
}

/** The state of each frame on the best path; even states are blanks, state 2 i + 1 is label i. */
function* bestStates(emissions: FrameScores, blankId: number, labels: Int32Array): Steps<Int32Array> {
  const { frames } = emissions;
  const count = 2 * labels.length + 1;
  const search = new StateSearch(emissions, blankId, labels);
  // Where 8 count frames / length + 2 length^2, the bytes of checkpoints and of pointers, are fewest.
  const length = Math.ceil(Math.cbrt(2 * count * frames));

  const values = new Float64Array(2 + count).fill(Number.NEGATIVE_INFINITY);
  values[2] = 0; // as if a blank had been before the first frame
  const checkpoints: Checkpoint[] = [];
  for (let frame = 0; frame < frames; frame++) {
    // What can be reached from the first two states and can reach the last two.
    const first = Math.max(0, count - 2 * (frames - frame));
    const last = Math.min(count - 1, 2 * frame + 1);
    if (frame % length === 0) {
      const from = Math.max(0, first - 2);
      checkpoints.push({ first: from, values: values.slice(2 + from, 2 + last + 1) });
    }
    search.step(values, 0, frame, first, last);
    if (search.isStepDone()) yield;
  }

  const states = new Int32Array(frames);
  let state = values.at(-1)! > values.at(-2)! ? count - 1 : count - 2;
  for (const [index, checkpoint] of [...checkpoints.entries()].reverse()) {
    const begin = index * length;
    const end = Math.min(begin + length, frames);
    state = yield* search.traceBack(checkpoint, begin, end, state, states);
  }
  return states;
}

class StateSearch {
  readonly #emissions: FrameScores;
  readonly #blankId: number;
  /** Places in rows of scores. */
  readonly #labels: Int32Array;
  /** Whether a label can follow the one before without a blank. */
  readonly #skips: Uint8Array;
  #worked = 0;

  constructor(emissions: FrameScores, blankId: number, labels: Int32Array) {
    this.#emissions = emissions;
    this.#blankId = blankId;
    this.#labels = labels.map((label) => (label === WILDCARD ? emissions.wildcard : label));
    this.#skips = Uint8Array.from(labels, (label, i) => (i > 0 && label !== labels[i - 1] ? 1 : 0));
  }

  /**
   * One frame, in place.
   *
   * @param values of the states from `base` on, before and behind the frame, after two impossible ones
   * @param pointers takes how many states each came forward, from `first` on
   */
  step(
    values: Float64Array,
    base: number,
    frame: number,
    first: number,
    last: number,
    pointers?: Uint8Array,
  ): void {
    const labels = this.#labels;
    const skips = this.#skips;
    const scores = this.#emissions.row(frame);
    this.#worked += last - first + scores.length;
    const blank = scores[this.#blankId]!;
    // Downwards, so that what a state came from is still that of the frame before.
    for (let state = last; state >= first; state--) {
      const at = state - base + 2;
      let best = values[at]!;
      let came = 0;
      const before = values[at - 1]!;
      if (before > best) {
        best = before;
        came = 1;
      }
      if ((state & 1) === 0) {
        values[at] = best + blank;
      } else {
        const label = state >> 1;
        const skipped = values[at - 2]!;
        if (skipped > best && skips[label] === 1) {
          best = skipped;
          came = 2;
        }
        values[at] = best + scores[labels[label]!]!;
      }
      if (pointers) pointers[state - first] = came;
    }
  }

  /** Whether the search has worked for some milliseconds since this was true. */
  isStepDone(): boolean {
    if (this.#worked < STATES_A_STEP) return false;
    this.#worked = 0;
    return true;
  }

  /**
   * The path through frames from `begin` to before `end` that ends in `state`.
   *
   * @param states takes it
   * @returns the state at the frame before `begin`
   */
  *traceBack(
    { first, values: saved }: Checkpoint,
    begin: number,
    end: number,
    state: number,
    states: Int32Array,
  ): Steps<number> {
    // A state that matters lies at most two states a frame before the last one.
    const base = Math.max(0, state - 2 * (end - begin));
    const width = state - base + 1;
    const values = new Float64Array(2 + width).fill(Number.NEGATIVE_INFINITY);
    const from = Math.max(base, first);
    const to = Math.min(state + 1, first + saved.length);
    if (from < to) values.set(saved.subarray(from - first, to - first), 2 + from - base);
    const pointers = new Uint8Array((end - begin) * width);
    for (let frame = begin; frame < end; frame++) {
      const row = (frame - begin) * width;
      this.step(values, base, frame, base, state, pointers.subarray(row, row + width));
      if (this.isStepDone()) yield;
    }
    let current = state;
    for (let frame = end - 1; frame >= begin; frame--) {
      states[frame] = current;
      current -= pointers[(frame - begin) * width + current - base]!;
    }
    return current;
  }
}

function spansOf(states: Int32Array, scores: Float64Array, count: number): LabelSpan[] {
  const spans = Array.from({ length: count }, () => ({ start: 0, end: 0, probability: 0 }));
  for (const [frame, state] of states.entries()) {
    if (state % 2 === 0) continue;
    const span = spans[state >> 1]!;
    if (span.end === 0) span.start = frame;
    span.end = frame + 1;
    span.probability += Math.exp(scores[frame]!);
  }
  for (const span of spans) span.probability /= span.end - span.start;
  return spans;
}
