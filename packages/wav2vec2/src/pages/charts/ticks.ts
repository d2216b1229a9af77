/** A round distance between about `count` marks over `span`. */
export function roundStep(span: number, count: number): number {
  if (!(span > 0)) return 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999)!;
}

/** About `count` round numbers that enclose all of `values`. */
export function linearTicks(values: readonly number[], count: number): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const step = roundStep(high - low || Math.abs(high) || 1, count);
  const ticks: number[] = [];
  // Multiplying, not adding up, keeps 0.3 from becoming 0.30000000000000004.
  for (let index = Math.floor(low / step); ; index++) {
    ticks.push(Number((index * step).toPrecision(12)));
    if (index * step >= high) return ticks;
  }
}

/** 1, 2 and 5 times powers of ten, or powers of ten alone over many decades, that enclose all of `values`. */
export function logTicks(values: readonly number[]): number[] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : decades > 1.5 ? [1, 3] : [1, 2, 5];
  const all: number[] = [];
  for (let power = Math.floor(Math.log10(low)) - 1; power <= Math.ceil(Math.log10(high)) + 1; power++) {
    for (const factor of factors) all.push(Number((factor * 10 ** power).toPrecision(12)));
  }
  const first = all.findLastIndex((tick) => tick <= low);
  const last = all.findIndex((tick) => tick >= high);
  return all.slice(first, Math.max(last, first + 1) + 1);
}
