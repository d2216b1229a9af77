/** What is told of many numbers. All are 0 where there are none. */
export interface Distribution {
  min: number;
  /** A twentieth of the numbers is not above it. */
  p5: number;
  median: number;
  mean: number;
  p95: number;
  max: number;
}

/** Quantiles interpolate between neighbours, as numpy's do by default. */
export function distribution(values: Iterable<number>): Distribution {
  const sorted = Float64Array.from(values).sort();
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1);
    const low = sorted[Math.floor(at)] ?? 0;
    const high = sorted[Math.ceil(at)] ?? 0;
    return low + (high - low) * (at - Math.floor(at));
  };
  const mean = sorted.length > 0 ? sorted.reduce((sum, value) => sum + value, 0) / sorted.length : 0;
  return {
    min: quantile(0),
    p5: quantile(0.05),
    median: quantile(0.5),
    mean,
    p95: quantile(0.95),
    max: quantile(1),
  };
}

export interface Histogram {
  /** Width of a bin; bin i counts values from i * width up to (i + 1) * width. */
  width: number;
  counts: number[];
}

/** 1, 2 and 5 times powers of ten. */
const STEPS = [1, 2, 5];

/**
 * Counts of values from 0 up, in the narrowest bins of a round width that give no more than `mostBins`.
 * @param values at least 0
 */
export function histogram(values: readonly number[], mostBins: number): Histogram {
  const max = values.reduce((most, value) => Math.max(most, value), 0);
  const width = roundWidth(max, mostBins);
  const counts = new Array<number>(Math.floor(max / width) + 1).fill(0);
  for (const value of values) counts[Math.floor(value / width)]!++;
  return { width, counts };
}

function roundWidth(max: number, mostBins: number): number {
  for (let exponent = -3; ; exponent++) {
    for (const step of STEPS) {
      // Not 10 ** exponent below 1, which is no nearer to the decimal than the quotient.
      const width = exponent < 0 ? step / 10 ** -exponent : step * 10 ** exponent;
      if (Math.floor(max / width) + 1 <= mostBins) return width;
    }
  }
}
