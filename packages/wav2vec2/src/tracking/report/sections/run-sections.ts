import type { Chart } from "../../../pages/charts/chart.js";
import type { Tile } from "../../../pages/parts.js";
import { formatDuration } from "../../duration.js";
import { TrainedTime } from "../../trained-time.js";
import { median } from "../median.js";
import { pointsOf, type Rows, series } from "../metric-series.js";

/** What a report shows of every run, whatever is trained. */

/** How long it ran, and how fast. */
export function runTiles(metrics: Rows): Tile[] {
  const speed = median(pointsOf(metrics, "audio_seconds_per_second").map(({ y }) => y));
  return [
    {
      name: "Steps",
      value: (metrics.at(-1)?.step ?? 0).toLocaleString("en"),
      detail: `in ${formatDuration(trainedSeconds(metrics).at(-1) ?? 0)}`,
    },
    ...(Number.isNaN(speed)
      ? []
      : [{ name: "Speed", value: `${speed.toPrecision(3)}×`, detail: "seconds of audio a second" }]),
  ];
}

export function trainingLossChart(metrics: Rows): Chart {
  return {
    title: "Training loss",
    scale: "log",
    format: "short",
    series: [series(metrics, "loss", "loss", 1)],
  };
}

export function learningRateChart(metrics: Rows): Chart {
  return {
    title: "Learning rate",
    format: "power",
    planned: true,
    series: [series(metrics, "learning_rate", "learning rate", 1)],
  };
}

export function gradientNormChart(metrics: Rows, band?: Chart["band"]): Chart {
  return {
    title: "Gradient norm",
    scale: "log",
    format: "short",
    series: [series(metrics, "grad_norm", "norm", 1)],
    band,
  };
}

export function speedChart(metrics: Rows): Chart {
  return {
    title: "Seconds of audio a second",
    format: "short",
    series: [series(metrics, "audio_seconds_per_second", "speed", 1)],
  };
}

/** How long the run had trained at each line, in seconds: without the pauses of an interrupted run. */
export function trainedSeconds(rows: Rows): number[] {
  const trained = new TrainedTime();
  let passed = 0;
  return rows.map(({ time }) => {
    if (typeof time === "number") passed += trained.since(time);
    return passed;
  });
}
