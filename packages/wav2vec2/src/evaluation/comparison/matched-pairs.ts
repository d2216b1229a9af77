import type { WordPair } from "../../text/scoring/aligned-words.js";
import { twoSidedP } from "./normal-distribution.js";

/** Errors of two systems in the same stretch of speech. */
export interface Segment {
  first: number;
  second: number;
}

export interface MatchedPairs {
  segments: number;
  /** Mean of the segments' differences in errors, second less first. */
  mean: number;
  /** The mean over its standard error. */
  z: number;
  /** How probable so large a |z| is where both systems are equally good. */
  p: number;
}

/** As many words that both have right end a segment, in the published test as in NIST's. */
const BUFFER = 2;

/**
 * The matched-pairs sentence-segment word error test. Errors close to each other depend on each other, so that an
 * utterance is divided where both systems have two words in a row right; between segments errors are taken to be
 * independent. Tests whether the mean difference of a segment's errors is 0, by the normal distribution.
 *
 * L. Gillick and S. J. Cox, Some statistical issues in the comparison of speech recognition algorithms, ICASSP 1989;
 * `mapsswe` of NIST's sc_stats (https://github.com/usnistgov/SCTK/blob/master/src/sclite/mtchprs.c), which does not see
 * insertions of the second system behind the last word of an utterance.
 */
export function matchedPairs(segments: readonly Segment[]): MatchedPairs {
  const n = segments.length;
  const differences = segments.map(({ first, second }) => second - first);
  const mean = differences.reduce((sum, difference) => sum + difference, 0) / (n || 1);
  const squares = differences.reduce((sum, difference) => sum + (difference - mean) ** 2, 0);
  // Where all segments differ by as much, the spread around 0 is taken, where the null hypothesis has the mean; sc_stats
  // then says z = 0.
  const variance = squares > 0 ? squares / (n - 1) : mean ** 2;
  const z = mean === 0 ? 0 : mean / Math.sqrt(variance / n);
  return { segments: n, mean, z, p: twoSidedP(z) };
}

/**
 * The segments of one utterance in which at least one system errs.
 *
 * @param first the reference aligned with what the first system recognised (`alignWords`)
 * @param second the same reference aligned with what the second recognised
 */
export function errorSegments(first: readonly WordPair[], second: readonly WordPair[]): Segment[] {
  const [a, b] = [positions(first), positions(second)];
  const segments: Segment[] = [];
  let open: Segment | undefined;
  let right = 0;
  for (let word = 0; word < a.words.length; word++) {
    // Insertions before this word, then the word itself
    const errors = { first: a.insertions[word]!, second: b.insertions[word]! };
    if (errors.first + errors.second > 0) right = 0;
    errors.first += a.words[word]!;
    errors.second += b.words[word]!;
    if (errors.first + errors.second > 0) {
      open ??= { first: 0, second: 0 };
      open.first += errors.first;
      open.second += errors.second;
    }
    right = a.words[word] || b.words[word] ? 0 : right + 1;
    if (open && right >= BUFFER) {
      segments.push(open);
      open = undefined;
    }
  }
  const behind = { first: a.insertions.at(-1)!, second: b.insertions.at(-1)! };
  if (behind.first + behind.second > 0) {
    open ??= { first: 0, second: 0 };
    open.first += behind.first;
    open.second += behind.second;
  }
  if (open) segments.push(open);
  return segments;
}

/** Of each word of the reference whether it is wrong (1), and the insertions before it and, last, behind all. */
function positions(pairs: readonly WordPair[]): { words: number[]; insertions: number[] } {
  const words: number[] = [];
  const insertions = [0];
  for (const { reference, hypothesis } of pairs) {
    if (reference === undefined) {
      insertions[words.length]!++;
    } else {
      words.push(reference === hypothesis ? 0 : 1);
      insertions.push(0);
    }
  }
  return { words, insertions };
}
