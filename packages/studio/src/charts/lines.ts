import type { Curve } from "../shared.js";

/** What a chart draws: a curve, and how it is told from others. */
export interface Line {
  label: string;
  /** 1 to 8 */
  tone: number;
  dashed?: boolean;
  x: number[];
  y: (number | null)[];
  /** A moving average, drawn before the curve. */
  smooth?: (number | null)[] | undefined;
  /** Of several runs together, the lowest and the highest; then `y` is their mean. */
  low?: (number | null)[];
  high?: (number | null)[];
}

/** A curve as a line of a chart. */
export function lineOf(curve: Curve, look: Pick<Line, "label" | "tone" | "dashed">): Line {
  return { ...look, x: curve.x, y: curve.y, smooth: curve.smooth };
}

/**
 * Several runs as one line: at each place where any has a value, the mean of those that have got so far, between their
 * neighbouring values, with the lowest and the highest.
 */
export function meanLine(curves: readonly Curve[], look: Pick<Line, "label" | "tone" | "dashed">): Line {
  const points = curves.map(({ x, y, smooth }) => {
    const values = smooth ?? y;
    const finite = x.flatMap((at, index) => (values[index] === null ? [] : [{ at, value: values[index]! }]));
    return finite;
  });
  const places = [...new Set(points.flatMap((all) => all.map(({ at }) => at)))].sort((a, b) => a - b);
  const next = points.map(() => 0);
  const line: Line = { ...look, x: places, y: [], low: [], high: [] };
  for (const at of places) {
    const values = points.flatMap((all, index) => {
      while (next[index]! < all.length && all[next[index]!]!.at < at) next[index]!++;
      const behind = all[next[index]!];
      const before = all[next[index]! - 1];
      if (behind === undefined) return [];
      if (behind.at === at) return behind.value;
      if (before === undefined) return [];
      const share = (at - before.at) / (behind.at - before.at);
      return before.value + (behind.value - before.value) * share;
    });
    line.y.push(values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length);
    line.low!.push(values.length === 0 ? null : Math.min(...values));
    line.high!.push(values.length === 0 ? null : Math.max(...values));
  }
  return line;
}

/** About `most` places of some lines with their values, for a table. */
export function tableOf(lines: readonly Line[], most = 25): { x: number; values: (number | undefined)[] }[] {
  const places = [...new Set(lines.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const step = Math.max(1, (places.length - 1) / (most - 1));
  const chosen = new Set(
    Array.from({ length: Math.min(most, places.length) }, (_, index) => places[Math.round(index * step)]),
  );
  return places
    .filter((place) => chosen.has(place))
    .map((place) => ({
      x: place,
      values: lines.map(({ x, y }) => {
        const at = lastAtOrBelow(x, place);
        return at < 0 ? undefined : (y[at] ?? undefined);
      }),
    }));
}

function lastAtOrBelow(values: readonly number[], limit: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
