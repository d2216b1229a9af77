/**
 * The probability that a standard normal variable is further from 0 than `z`, on either side: the two-sided p-value of
 * a z statistic, erfc(|z| / sqrt 2).
 */
export function twoSidedP(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  if (Number.isNaN(x)) return Number.NaN;
  return x < 2 ? 1 - erfSeries(x) : erfcFraction(x);
}

/** https://dlmf.nist.gov/7.6.E2, to the last bits for small x. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** https://dlmf.nist.gov/7.9.E1, for large x. */
function erfcFraction(x: number): number {
  let rest = 0;
  for (let n = 200; n >= 1; n--) rest = n / 2 / (x + rest);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + rest);
}
