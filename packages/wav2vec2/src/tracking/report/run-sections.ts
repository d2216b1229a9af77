import { formatDuration } from "../duration.js";
import type { Chart } from "./chart.js";
import { median } from "./median.js";
import { pointsOf, type Rows, series, short } from "./metric-series.js";

/** What a report shows of every run, whatever is trained. */

/** A number that stands out: what it is, its value, and what there is to say about it. */
export interface Tile {
  name: string;
  value: string;
  detail: string;
}

/** A longer gap between two lines of metrics is an interruption, not training. */
const LONGEST_PAUSE_SECONDS = 600;

/** How long it ran, and how fast. */
export function runTiles(metrics: Rows): Tile[] {
  const speed = median(pointsOf(metrics, "audio_seconds_per_second").map(({ y }) => y));
  return [
    {
      name: "Steps",
      value: (metrics.at(-1)?.step ?? 0).toLocaleString("en"),
      detail: `in ${formatDuration(secondsTrained(metrics))}`,
    },
    ...(Number.isNaN(speed)
      ? []
      : [{ name: "Speed", value: `${speed.toPrecision(3)}×`, detail: "seconds of audio a second" }]),
  ];
}

export function learningRateChart(metrics: Rows): Chart {
  return {
    title: "Learning rate",
    format: (value) => (value === 0 ? "0" : value.toExponential(1).replace(".0e", "e")),
    series: [series(metrics, "learning_rate", "learning rate", 1)],
  };
}

export function gradientNormChart(metrics: Rows, band?: Chart["band"]): Chart {
  return {
    title: "Gradient norm",
    scale: "log",
    format: short,
    series: [series(metrics, "grad_norm", "norm", 1)],
    band,
  };
}

/** Time between the first and the last line, without the pauses of an interrupted run. */
function secondsTrained(metrics: Rows): number {
  const times = metrics.flatMap(({ time }) => (typeof time === "number" ? [time] : []));
  return times.slice(1).reduce((sum, time, index) => {
    const gap = time - times[index]!;
    return gap > LONGEST_PAUSE_SECONDS ? sum : sum + gap;
  }, 0);
}
