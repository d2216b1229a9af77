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

export function finetuneTiles(metrics: Rows): Tile[] {
  const lowest = best(pointsOf(metrics, "eval/wer"), (a, b) => a - b);
  const wer = lowest && {
    name: "Best word error rate",
    value: percent(lowest.y),
    detail: `at step ${lowest.x.toLocaleString("en")}`,
  };
  return [...(wer ? [wer] : []), ...runTiles(metrics)];
}

export function finetuneCharts(metrics: Rows): Chart[] {
  return [
    trainingLossChart(metrics),
    {
      title: "Error rate on the validation split",
      format: "percent",
      series: [series(metrics, "eval/wer", "words", 1), series(metrics, "eval/cer", "characters", 2)],
    },
    {
      title: "CTC loss of a validation utterance",
      scale: "log",
      format: "short",
      series: [series(metrics, "eval/ctc_loss", "CTC loss", 1)],
    },
    {
      title: "Share of blanks in validation frames",
      format: "percent",
      series: [series(metrics, "eval/blank_share", "blanks", 1)],
    },
    learningRateChart(metrics),
    gradientNormChart(metrics),
    speedChart(metrics),
  ];
}
