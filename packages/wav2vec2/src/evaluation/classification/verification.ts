import { UserError } from "../../errors.js";

/** Two clips that are compared: places in a list of clips, and whether their speakers are the same. */
export interface Trials {
  /** [trials] */
  first: Int32Array;
  second: Int32Array;
  /** 1 where both are of one speaker. */
  same: Uint8Array;
}

export interface VerificationScores {
  /** Where as large a share of the same speakers is refused as of others is accepted. */
  equalErrorRate: number;
  /** The cosine from which on two clips count as of one speaker at that rate. */
  threshold: number;
  /**
   * The least cost of a threshold, misses and false alarms at equal costs where one trial in a hundred is of the same
   * speaker, beside that of always saying no (NIST's detection cost).
   */
  minDcf: number;
  /** Trials, and those of one speaker. */
  trials: number;
  same: number;
}

/** Trials with the places that they have in the order of their scores. */
export interface ScoredTrials extends Trials {
  /** Cosines, [trials] */
  scores: Float64Array;
  /** Trials by their scores, the highest first. */
  order: Int32Array;
}

const TARGET_PROBABILITY = 0.01;

/** The most pairs of clips; of more clips some are left out, evenly. */
const MOST_PAIRS = 2_000_000;

/**
 * Every pair of clips once; of very many clips, of every second, third or so.
 *
 * @throws UserError where there is no pair of one speaker, or none of two
 */
export function allPairs(speakers: readonly string[], most = MOST_PAIRS): Trials {
  const clips = Math.min(speakers.length, Math.floor((1 + Math.sqrt(1 + 8 * most)) / 2));
  const chosen = Array.from({ length: clips }, (_, i) => Math.floor((i * speakers.length) / clips));
  const count = (clips * (clips - 1)) / 2;
  const trials = { first: new Int32Array(count), second: new Int32Array(count), same: new Uint8Array(count) };
  let trial = 0;
  for (const [i, first] of chosen.entries())
    for (const second of chosen.slice(i + 1)) {
      trials.first[trial] = first;
      trials.second[trial] = second;
      trials.same[trial++] = Number(speakers[first] === speakers[second]);
    }
  requireBothKinds(trials, "The clips");
  return trials;
}

/** @throws UserError where there is no trial of one speaker, or none of two */
export function requireBothKinds({ same }: Trials, source: string): void {
  const targets = same.reduce((sum, value) => sum + value, 0);
  if (targets > 0 && targets < same.length) return;
  const lacks = targets === 0 ? "of one speaker" : "of two speakers";
  throw new UserError(
    `${source} must make pairs of one speaker and of two, but there is no pair ${lacks}. Give several clips of several speakers.`,
  );
}

/**
 * The cosine between the two vectors of each trial.
 *
 * @param embeddings of each clip
 */
export function scoreTrials(trials: Trials, embeddings: readonly Float32Array[]): ScoredTrials {
  const lengths = embeddings.map((vector) =>
    Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)),
  );
  const scores = Float64Array.from(trials.first, (first, trial) => {
    const second = trials.second[trial]!;
    const [a, b] = [embeddings[first]!, embeddings[second]!];
    let product = 0;
    for (let i = 0; i < a.length; i++) product += a[i]! * b[i]!;
    return product / (lengths[first]! * lengths[second]! || 1);
  });
  const order = Int32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  return { ...trials, scores, order };
}

/**
 * Equal error rate and detection cost over thresholds between scores, equal scores together; between the two thresholds
 * where the error rates cross, both are taken for straight lines.
 *
 * @param weights how often each clip counts; a trial counts their product
 */
export function verificationScores(trials: ScoredTrials, weights?: Float64Array): VerificationScores {
  const { first, second, same, scores, order } = trials;
  const weightOf = (trial: number) => (weights ? weights[first[trial]!]! * weights[second[trial]!]! : 1);
  let [targets, others] = [0, 0];
  for (const [trial, isSame] of same.entries()) {
    if (isSame) targets += weightOf(trial);
    else others += weightOf(trial);
  }
  let [accepted, alarms] = [0, 0];
  let before = { miss: 1, alarm: 0, score: 1 };
  let [equalErrorRate, threshold] = [Number.NaN, Number.NaN];
  let cost = TARGET_PROBABILITY; // of always saying no
  for (const [place, trial] of order.entries()) {
    if (same[trial]) accepted += weightOf(trial);
    else alarms += weightOf(trial);
    const score = scores[trial]!;
    if (scores[order[place + 1]!] === score) continue;
    const at = { miss: 1 - accepted / targets, alarm: alarms / others, score };
    if (Number.isNaN(equalErrorRate) && at.alarm >= at.miss) {
      const [ahead, behind] = [before.miss - before.alarm, at.alarm - at.miss];
      const share = ahead + behind === 0 ? 0 : ahead / (ahead + behind);
      equalErrorRate = before.miss + share * (at.miss - before.miss);
      threshold = score;
    }
    cost = Math.min(cost, TARGET_PROBABILITY * at.miss + (1 - TARGET_PROBABILITY) * at.alarm);
    before = at;
  }
  return {
    equalErrorRate,
    threshold,
    minDcf: cost / TARGET_PROBABILITY,
    trials: same.length,
    same: same.reduce((sum, value) => sum + value, 0),
  };
}
