import type { Chart } from "../../../pages/charts/chart.js";
import { percent } from "../../../pages/format.js";
import type { Tile } from "../../../pages/parts.js";
import { best, pointsOf, type Rows, series } from "../metric-series.js";
import {
  gradientNormChart,
  learningRateChart,
  runTiles,
  speedChart,
  trainingLossChart,
} from "./run-sections.js";

/** What a validation says of a classification head, and whether more is better. */
const SCORES = [
  ["Best accuracy", "eval/accuracy", -1],
  ["Best macro F1", "eval/macro_f1", -1],
  ["Lowest equal error rate", "eval/eer", 1],
] as const;

export function classificationTiles(metrics: Rows): Tile[] {
  const scores = SCORES.flatMap(([name, metric, sign]) => {
    const point = best(pointsOf(metrics, metric), (a, b) => sign * (a - b));
    if (!point) return [];
    return [{ name, value: percent(point.y), detail: `at step ${point.x.toLocaleString("en")}` }];
  });
  return [...scores, ...runTiles(metrics)];
}

export function classificationCharts(metrics: Rows): Chart[] {
  return [
    trainingLossChart(metrics),
    {
      title: "Accuracy on the validation split",
      format: "percent",
      series: [
        series(metrics, "eval/accuracy", "accuracy", 1),
        series(metrics, "eval/macro_f1", "macro F1", 2),
      ],
    },
    {
      title: "Equal error rate on the validation split",
      format: "percent",
      series: [series(metrics, "eval/eer", "equal error rate", 1)],
    },
    learningRateChart(metrics),
    gradientNormChart(metrics),
    speedChart(metrics),
  ];
}
