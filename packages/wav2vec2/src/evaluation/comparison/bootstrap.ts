import { Random } from "../../data/random.js";

/** What is drawn as a whole: an utterance, or all of a speaker. */
export interface Unit {
  /** Word errors. */
  errors: number;
  /** Words of the reference. */
  words: number;
}

export interface Interval {
  low: number;
  high: number;
}

export interface BootstrapOptions {
  /** How often the test set is drawn anew. Default: 10,000 */
  resamples?: number | undefined;
  /** Default: 0 */
  seed?: number | undefined;
}

export const RESAMPLES = 10_000;
const CONFIDENCE = 0.95;

/**
 * 95 % interval of a word error rate: as many units are drawn with replacement as there are, again and again, and the
 * middle 95 % of their error rates are taken (the percentile interval).
 * M. Bisani and H. Ney, Bootstrap estimates for confidence intervals in ASR performance evaluation, ICASSP 2004.
 */
export function bootstrapWer(units: readonly Unit[], options: BootstrapOptions = {}): Interval {
  const rates = new Float64Array(options.resamples ?? RESAMPLES);
  const draw = drawer(units, options);
  for (let i = 0; i < rates.length; i++) {
    let [errors, words] = [0, 0];
    draw((unit) => {
      errors += units[unit]!.errors;
      words += units[unit]!.words;
    });
    rates[i] = errors / (words || 1);
  }
  return middle(rates);
}

export interface BootstrapDifference extends Interval {
  /**
   * The share of draws in which the second system makes fewer errors; draws in which both make as many count half.
   * Bisani and Ney's probability of improvement.
   */
  probabilityOfImprovement: number;
}

/**
 * 95 % interval of the difference between the word error rates of two systems on the same words, second less first:
 * both are drawn together, so that what makes an utterance hard for both cancels out.
 *
 * @param first units of the first system
 * @param second those of the second, in the same order
 */
export function bootstrapDifference(
  first: readonly Unit[],
  second: readonly Unit[],
  options: BootstrapOptions = {},
): BootstrapDifference {
  const differences = new Float64Array(options.resamples ?? RESAMPLES);
  const draw = drawer(first, options);
  let improved = 0;
  for (let i = 0; i < differences.length; i++) {
    let [errors, words] = [0, 0];
    draw((unit) => {
      errors += second[unit]!.errors - first[unit]!.errors;
      words += first[unit]!.words;
    });
    differences[i] = errors / (words || 1);
    improved += errors < 0 ? 1 : errors === 0 ? 0.5 : 0;
  }
  return { ...middle(differences), probabilityOfImprovement: improved / differences.length };
}

/** Draws as many units as there are, with replacement; the same ones for the same seed, whatever they hold. */
function drawer(
  units: readonly Unit[],
  { seed = 0 }: BootstrapOptions,
): (take: (unit: number) => void) => void {
  const random = new Random(seed, "bootstrap");
  const { length } = units;
  return (take) => {
    for (let i = 0; i < length; i++) take(random.integer(length));
  };
}

/** The middle 95 % of what draws gave, which it sorts. */
export function middle(values: Float64Array): Interval {
  values.sort();
  return {
    low: quantile(values, (1 - CONFIDENCE) / 2),
    high: quantile(values, (1 + CONFIDENCE) / 2),
  };
}

/** Of sorted values, between neighbours in proportion, as NumPy's. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (place - below) * (high - low);
}
