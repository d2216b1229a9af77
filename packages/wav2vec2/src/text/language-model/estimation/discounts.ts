import { UserError } from "../../../errors.js";

/** What is taken off an n-gram's count of 1, of 2, and of 3 or more. */
export type Discounts = readonly [one: number, two: number, more: number];

/** Those of lmplz's `--discount_fallback`. */
export const FALLBACK_DISCOUNTS: Discounts = [0.5, 1, 1.5];

/**
 * The discounts of modified Kneser-Ney smoothing: D_j = j - (j + 1) Y n_(j+1) / n_j with Y = n_1 / (n_1 + 2 n_2), of
 * which n_j is the number of n-grams with an adjusted count of j (Chen and Goodman 1999, equation 26).
 *
 * @param countsOfCounts n_j at place j, up to 4
 * @param fallback what to take where there are too few n-grams to estimate them
 * @throws UserError in this case without a fallback
 */
export function estimateDiscounts(
  order: number,
  countsOfCounts: readonly number[],
  fallback?: Discounts,
): Discounts {
  const fault = faultOf(order, countsOfCounts);
  if (fault === undefined) return discountsOf(countsOfCounts);
  if (fallback) return fallback;
  throw new UserError(
    `The discounts of ${order}-grams must be estimated from how many of them are rare, but ${fault}. ` +
      "The text is too small, or has sentences many times. Remove repeated sentences, lower --order, or give --discount-fallback.",
  );
}

function faultOf(order: number, countsOfCounts: readonly number[]): string | undefined {
  const missing = [1, 2, 3].find((count) => countsOfCounts[count] === 0);
  if (missing !== undefined) return `no ${order}-gram has an adjusted count of ${missing}`;
  const discounts = discountsOf(countsOfCounts);
  const wrong = discounts.findIndex((discount, i) => !(discount >= 0 && discount <= i + 1));
  if (wrong < 0) return undefined;
  return `that of an adjusted count of ${wrong + 1} would be ${discounts[wrong]!.toFixed(3)}, outside 0 to ${wrong + 1}`;
}

/** In float32 like lmplz, so that models are the same. */
function discountsOf(countsOfCounts: readonly number[]): Discounts {
  const f = Math.fround;
  const y = f(f(countsOfCounts[1]!) / f(countsOfCounts[1]! + 2 * countsOfCounts[2]!));
  const discount = (j: number) =>
    f(j - f(f(f(f(j + 1) * y) * f(countsOfCounts[j + 1]!)) / f(countsOfCounts[j]!)));
  return [discount(1), discount(2), discount(3)];
}
