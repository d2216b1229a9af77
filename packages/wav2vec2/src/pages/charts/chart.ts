import type { Tone } from "../colors.js";
import { FORMATS, type Format } from "../format.js";
import { escapeHtml } from "../html.js";
import { renderTable } from "../table.js";
import { type Point, type Span, smooth, thin } from "./curve.js";
import { linearTicks, logTicks } from "./ticks.js";

/** One curve of a chart. `tone` picks its colour from the page's stylesheet. */
export interface Series {
  name: string;
  tone: Tone;
  points: readonly Point[];
  /** What the points are the mean of. */
  range?: readonly Span[];
  /** Tells more curves apart than there are colours. */
  dashed?: boolean;
  /** A share of another curve of the chart: left out where runs are compared. */
  part?: boolean;
}

export interface Chart {
  title: string;
  series: readonly Series[];
  /** `log` falls back to linear where a value is not above 0, or where all are about as high. */
  scale?: "linear" | "log";
  /** Where a linear axis begins: at zero, or near the lowest value. */
  from?: "zero" | "lowest";
  format: Format;
  /** Whether the values are planned, not measured: nothing of them is noise that smoothing takes away. */
  planned?: boolean;
  /** What goes from left to right. Default: steps of training */
  axis?: string;
  /** A value to compare with, as a dashed line. */
  reference?: { name: string; value: number } | undefined;
  /** The values that are right, as a shaded band. */
  band?: { name: string; from: number; to: number } | undefined;
}

export interface ChartOptions {
  /** Weight of {@link smooth} for curves of many points; what they were stays behind them. Default: 0 */
  smooth?: number;
  /** Points of a curve, at most: more cannot be told apart at the chart's width. Default: 400 */
  most?: number;
  /** Whether the chart says which curve is which, where there are several. Default: true */
  legend?: boolean;
}

export const WIDTH = 520;
export const HEIGHT = 250;
const MARGIN = { top: 12, right: 24, bottom: 34, left: 58 };
const MOST_POINTS = 400;
/** With more points than this, dots would hide their line; fewer are not smoothed. */
const MOST_DOTS = 40;
/** On a logarithmic axis, values that differ by less than this factor would lie between two marks. */
const LEAST_LOG_SPAN = 3;
/** Rows of the table of values below a chart. */
const MOST_ROWS = 12;

/** A chart as lines inside of `0 0 WIDTH HEIGHT`, with what else there is to say of it. */
export interface Drawing {
  content: string;
  series: readonly Series[];
  /** What it shows, in a sentence for those who do not see it. */
  description: string;
  /** Attributes of the `<svg>` that lets a script tell the values at a place. */
  attributes: string;
}

/** A line chart as one `<figure>` with inline SVG and a table of its values; nothing when there is no point to draw. */
export function drawChart(chart: Chart, options: ChartOptions = {}): string {
  const drawing = plot(chart, options);
  if (!drawing) return "";
  const { series, content, description, attributes } = drawing;
  const keys = series.map(({ name, tone, dashed }) => {
    return `<span class="key tone${tone}${dashed ? " dashed" : ""}">${escapeHtml(name)}</span>`;
  });
  const legend = series.length > 1 && options.legend !== false ? keys.join("") : "";
  return `<figure>
<figcaption><b>${escapeHtml(chart.title)}</b>${legend}</figcaption>
<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(chart.title)}" ${attributes}><desc>${escapeHtml(description)}</desc>
${content}
</svg>
${valueTable(chart, series)}
</figure>`;
}

/** Draws a chart's lines, without its title and legend; nothing when there is no point to draw. */
export function plot(chart: Chart, options: ChartOptions = {}): Drawing | undefined {
  const weight = chart.planned ? 0 : (options.smooth ?? 0);
  const most = options.most ?? MOST_POINTS;
  const series = chart.series.map((one) => prepare(one, weight, most)).filter((one) => one.points.length > 0);
  const points = series.flatMap((one) => one.points);
  if (points.length === 0) return undefined;
  const { reference, band, axis = "step" } = chart;
  const format = FORMATS[chart.format];
  const marks = [...(reference ? [reference.value] : []), ...(band ? [band.from, band.to] : [])];
  const spans = series.flatMap(({ range = [] }) => range.flatMap(({ low, high }) => [low, high]));
  const values = [...points.map(({ y }) => y), ...spans, ...marks];
  const isSpread = Math.max(...values) / Math.min(...values) >= LEAST_LOG_SPAN;
  const wantsLog = chart.scale === "log" && values.every((value) => value > 0);
  const log = wantsLog && isSpread;
  const near = chart.from === "lowest" || wantsLog;
  const yTicks = log ? logTicks(values) : linearTicks(near ? values : [0, ...values], 5);
  const xTicks = linearTicks([0, ...points.map(({ x }) => x)], 6);
  const last = Math.max(...points.map(({ x }) => x), Number.MIN_VALUE);
  const left = MARGIN.left;
  const right = WIDTH - MARGIN.right;
  const bottom = HEIGHT - MARGIN.bottom;
  const across = scale([0, last], [left, right]);
  const transform = log ? Math.log10 : (value: number) => value;
  const ends = [transform(yTicks[0]!), transform(yTicks.at(-1)!)] as const;
  const up = scale(ends, [bottom, MARGIN.top]);
  const height = (value: number): number => up(transform(value));
  const place = (x: number, y: number): string => `${digits(across(x), 2)} ${digits(height(y), 2)}`;
  const roughly = (x: number, y: number): string => `${digits(across(x), 1)} ${digits(height(y), 1)}`;

  const shaded =
    band &&
    `<rect class="band" x="${left}" width="${right - left}" y="${height(band.to).toFixed(1)}" ` +
      `height="${(height(band.from) - height(band.to)).toFixed(1)}"/>`;
  const dashed =
    reference && `<path class="reference" d="M${left} ${height(reference.value).toFixed(1)}H${right}"/>`;
  const notes = [
    band && note(band.name, height(band.to) + 14),
    reference && note(reference.name, height(reference.value) - 5),
  ];
  const grid = yTicks.map((tick) => {
    const at = height(tick).toFixed(1);
    return (
      `<line class="grid" x1="${left}" x2="${right}" y1="${at}" y2="${at}"/>` +
      `<text class="tick" x="${left - 8}" y="${at}" dy="0.32em" text-anchor="end">${escapeHtml(format(tick))}</text>`
    );
  });
  const steps = xTicks
    .filter((tick) => tick <= last)
    .map(
      (tick) =>
        `<text class="tick" x="${across(tick).toFixed(1)}" y="${bottom + 18}" text-anchor="middle">${tick.toLocaleString("en")}</text>`,
    );
  const ranges = series.map(({ tone, range = [] }) => {
    if (range.length === 0) return "";
    const outline = [
      ...range.map(({ x, high }) => roughly(x, high)),
      ...range.toReversed().map(({ x, low }) => roughly(x, low)),
    ];
    return `<path class="range tone${tone}" d="M${outline.join("L")}z"/>`;
  });
  const curves = series.map(({ name, tone, dashed: isDashed, points: own }) => {
    const kind = `tone${tone}${isDashed ? " dashed" : ""}`;
    const line = `<polyline class="line ${kind}" data-name="${escapeHtml(name)}" points="${own.map(({ x, y }) => place(x, y)).join(" ")}"/>`;
    if (own.length > MOST_DOTS) return line;
    const dots = own.map(({ x, y }) => {
      const [cx, cy] = place(x, y).split(" ");
      return `<circle class="dot ${kind}" cx="${cx}" cy="${cy}" r="3"/>`;
    });
    return line + dots.join("");
  });
  const axisName = `<text class="tick" x="${right}" y="${HEIGHT - 2}" text-anchor="end">${escapeHtml(axis)}</text>`;
  const lines = [shaded, ...grid, ...steps, dashed, ...ranges, ...curves, ...notes, axisName];
  return {
    content: lines.filter(Boolean).join("\n"),
    series,
    description: describe(chart),
    attributes:
      `data-x="0 ${last} ${left} ${right}" data-y="${ends.join(" ")} ${bottom} ${MARGIN.top}" ` +
      `data-format="${chart.format}" data-axis="${escapeHtml(axis)}"${log ? " data-log" : ""}`,
  };
}

/** What of a curve is drawn: as many points as can be seen, finite ones. */
function prepare(series: Series, weight: number, most: number): Series {
  const points = series.points.filter(({ y }) => Number.isFinite(y));
  const range = series.range ?? [];
  if (weight === 0 || points.length <= MOST_DOTS) return { ...series, ...thin({ points, range }, most) };
  const raw = points.map(({ x, y }) => ({ x, low: y, high: y }));
  return {
    ...series,
    ...thin({ points: smooth(points, weight), range: range.length > 0 ? range : raw }, most),
  };
}

function describe({ title, format, axis = "step", series }: Chart): string {
  const write = FORMATS[format];
  const at = ({ x, y }: Point): string => `${write(y)} at ${axis} ${round(x)}`;
  const sentences = series.flatMap(({ name, points: all }) => {
    const points = all.filter(({ y }) => Number.isFinite(y));
    if (points.length === 0) return [];
    const lowest = points.reduce((low, point) => (point.y < low.y ? point : low));
    const highest = points.reduce((high, point) => (point.y > high.y ? point : high));
    return `${name}: ${at(points[0]!)}, ${at(points.at(-1)!)}; lowest ${at(lowest)}, highest ${at(highest)}.`;
  });
  return `${title} by ${axis}. ${sentences.join(" ")}`;
}

/** The values at some places, or the newest before them. */
function valueTable({ title, format, axis = "step" }: Chart, series: readonly Series[]): string {
  const write = FORMATS[format];
  const places = [...new Set(series.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b);
  const rows = Math.min(MOST_ROWS, places.length);
  const shown = Array.from(
    { length: rows },
    (_, row) => places[rows > 1 ? Math.round((row * (places.length - 1)) / (rows - 1)) : 0]!,
  );
  const valueAt = ({ points }: Series, place: number): string => {
    const point = points.findLast(({ x }) => x <= place);
    return point ? write(point.y) : "";
  };
  return `<details class="values"><summary>Values</summary>${renderTable({
    label: `Values of ${title}`,
    header: [axis, ...series.map(({ name }) => escapeHtml(name))],
    rows: shown.map((x) => [round(x), ...series.map((each) => valueAt(each, x))]),
  })}</details>`;
}

function round(x: number): string {
  return x.toLocaleString("en", { maximumFractionDigits: 2 });
}

/** What a line or band of the drawing is, at its right end. */
function note(name: string, at: number): string {
  // Under the upper edge there is no room above a line.
  const below = at < MARGIN.top ? at + 18 : at;
  return `<text class="tick note" x="${WIDTH - MARGIN.right - 4}" y="${below.toFixed(1)}" text-anchor="end">${escapeHtml(name)}</text>`;
}

/** No more than are needed: a page has thousands of them. */
function digits(value: number, decimals: number): string {
  return String(Number(value.toFixed(decimals)));
}

function scale(from: readonly [number, number], to: readonly [number, number]): (value: number) => number {
  const width = from[1] - from[0] || 1;
  return (value) => to[0] + ((value - from[0]) / width) * (to[1] - to[0]);
}
