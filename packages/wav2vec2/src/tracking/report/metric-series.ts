import type { Series } from "../../pages/charts/chart.js";
import type { Point } from "../../pages/charts/curve.js";
import type { Tone } from "../../pages/colors.js";
import type { readStepLines } from "../sinks/metrics-file.js";

/** The lines of a run's `metrics.jsonl` or of a file beside it. */
export type Rows = ReturnType<typeof readStepLines>;

type Points = Series["points"];

/** A metric over steps; lines without it, or where it was not finite, have no point. */
export function pointsOf(metrics: Rows, metric: string): Points {
  const points: Point[] = [];
  for (const row of metrics) {
    const value = row[metric];
    if (typeof value === "number") points.push({ x: row.step, y: value });
  }
  return points;
}

/** A metric as a curve of a chart. */
export function series(metrics: Rows, metric: string, name: string, tone: Tone): Series {
  return { name, tone, points: pointsOf(metrics, metric) };
}

/** The colour of a codebook's curve; the first is for that of all together. */
export function groupTone(group: number): Tone {
  return ((group % 3) + 2) as Tone;
}

/** The point whose value comes first in the order of `compare`, the earliest of equal ones. */
export function best(points: Points, compare: (a: number, b: number) => number): Points[number] | undefined {
  return points.reduce<Points[number] | undefined>(
    (first, point) => (first === undefined || compare(point.y, first.y) < 0 ? point : first),
    undefined,
  );
}
