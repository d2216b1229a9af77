/** A value over steps, or over whatever else goes from left to right. */
export interface Point {
  x: number;
  y: number;
}

/** What lies between two values at a step: the lowest and highest of several. */
export interface Span {
  x: number;
  low: number;
  high: number;
}

/** A curve, and how far what it is the mean of goes to both sides; of nothing where it is the values themselves. */
export interface Curve {
  points: readonly Point[];
  /** One for each point, or none at all. */
  range: readonly Span[];
}

/**
 * At most `most` points: neighbours become their mean, and the lowest and highest of them stay as the range. So no peak is
 * lost, however long the curve is.
 */
export function thin({ points, range }: Curve, most: number): Curve {
  const size = Math.ceil(points.length / most);
  if (size <= 1) return { points, range };
  const thinned = { points: [] as Point[], range: [] as Span[] };
  for (let from = 0; from < points.length; from += size) {
    const to = Math.min(from + size, points.length);
    let [sum, low, high] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let at = from; at < to; at++) {
      const { y } = points[at]!;
      const span = range[at];
      sum += y;
      low = Math.min(low, span?.low ?? y);
      high = Math.max(high, span?.high ?? y);
    }
    const { x } = points[to - 1]!;
    thinned.points.push({ x, y: sum / (to - from) });
    thinned.range.push({ x, low, high });
  }
  return thinned;
}

/**
 * The exponential moving average that TensorBoard draws: begins at the first value and forgets it at `weight` a point.
 *
 * @param weight 0 for the values as they are, towards 1 the smoother
 */
export function smooth(points: readonly Point[], weight: number): Point[] {
  let sum = 0;
  let weights = 0;
  return points.map(({ x, y }) => {
    sum = weight * sum + (1 - weight) * y;
    weights = weight * weights + (1 - weight); // what the average would be of ones
    return { x, y: sum / weights };
  });
}

/**
 * The mean of several curves, and the lowest and highest of them, where all of them have values: between its points a curve
 * is straight. Curves without points do not count.
 */
export function meanAndRange(curves: readonly (readonly Point[])[]): Curve {
  const all = curves.filter(({ length }) => length > 0);
  const first = Math.max(...all.map((curve) => curve[0]!.x));
  const last = Math.min(...all.map((curve) => curve.at(-1)!.x));
  const places = [...new Set(all.flatMap((curve) => curve.map(({ x }) => x)))]
    .filter((x) => x >= first && x <= last)
    .sort((a, b) => a - b);
  const columns = all.map((curve) => valuesAt(curve, places));
  const spans = places.map((x, place) => {
    const values = columns.map((column) => column[place]!);
    return { x, low: Math.min(...values), high: Math.max(...values) };
  });
  return {
    points: places.map((x, place) => ({
      x,
      y: columns.reduce((sum, column) => sum + column[place]!, 0) / columns.length,
    })),
    range: all.length > 1 ? spans : [],
  };
}

/** @param places rising, none before the curve's first point or behind its last */
function valuesAt(curve: readonly Point[], places: readonly number[]): number[] {
  let at = 0;
  return places.map((x) => {
    while (at < curve.length - 1 && curve[at + 1]!.x <= x) at++;
    const [left, right = left] = [curve[at]!, curve[at + 1]];
    const share = right.x === left.x ? 0 : (x - left.x) / (right.x - left.x);
    return left.y + share * (right.y - left.y);
  });
}
