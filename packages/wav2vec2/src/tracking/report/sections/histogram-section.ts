import { type Color, indexedPng } from "../../../pages/charts/png.js";
import { COLORS } from "../../../pages/colors.js";
import { short } from "../../../pages/format.js";
import { escapeHtml } from "../../../pages/html.js";
import type { Histogram } from "../../tracker.js";
import type { Rows } from "../metric-series.js";

type HistogramRow = Rows[number] & Histogram & { name: string };

/** Names that are drawn, at most; each is a picture of a few kilobytes. */
const MOST_NAMES = 100;
/** More names than this are folded away. */
const MOST_OPEN = 6;
const MOST_COLUMNS = 120;
const BINS = 48;
const LEVELS = 31;
const [RED, GREEN, BLUE] = [1, 3, 5].map((at) => Number.parseInt(COLORS.dark.one.slice(at, at + 2), 16));
/** The first is for no value at all. */
const PALETTE: readonly Color[] = Array.from({ length: LEVELS + 1 }, (_, level) => [
  RED!,
  GREEN!,
  BLUE!,
  level === 0 ? 0 : Math.round(40 + (215 * level) / LEVELS),
]);

/**
 * How weights and gradients were spread over the steps of a run: a map for each, values from bottom to top.
 *
 * @param rows the lines of `histograms.jsonl`
 */
export function histogramSection(rows: Rows): string {
  const byName = grouped(rows.filter(isHistogram), ({ name }) => name);
  if (byName.size === 0) return "";
  const names = [...byName.keys()];
  const kinds = grouped(names.slice(0, MOST_NAMES), (name) => name.split("/")[0]!);
  const groups = [...kinds].map(([kind, members]) => {
    const maps = members.map((name) => drawMap(name, byName.get(name)!));
    return `<details${members.length <= MOST_OPEN ? " open" : ""}><summary>${escapeHtml(kind)}: ${members.length}</summary>
<div class="charts">${maps.join("\n")}</div></details>`;
  });
  const rest = names.length - MOST_NAMES;
  const left = rest > 0 ? ` ${rest} more are in histograms.jsonl.` : "";
  return `<section><h2>How weights and gradients are spread</h2>
<p class="legend">Steps go from left to right, values upwards; the more values, the stronger the colour.${left}</p>
${groups.join("\n")}</section>`;
}

function grouped<Value>(values: readonly Value[], keyOf: (value: Value) => string): Map<string, Value[]> {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function isHistogram(row: Rows[number]): row is HistogramRow {
  const { name, edges, counts } = row as Partial<HistogramRow>;
  return (
    typeof name === "string" &&
    Array.isArray(edges) &&
    Array.isArray(counts) &&
    counts.length > 0 &&
    edges.length === counts.length + 1 &&
    [...edges, ...counts].every(Number.isFinite)
  );
}

function drawMap(name: string, rows: readonly HistogramRow[]): string {
  const size = Math.ceil(rows.length / MOST_COLUMNS);
  const shown = rows.filter((_, index) => index % size === 0 || index === rows.length - 1);
  const low = Math.min(...shown.map(({ edges }) => edges[0]!));
  const high = Math.max(...shown.map(({ edges }) => edges.at(-1)!));
  const columns = shown.map((row) => rebin(row, low, high));
  const pixels = new Uint8Array(columns.length * BINS);
  for (const [x, column] of columns.entries()) {
    const most = Math.max(...column) || 1;
    // A root tells few values from none.
    for (const [bin, value] of column.entries())
      pixels[(BINS - 1 - bin) * columns.length + x] = Math.ceil(Math.sqrt(value / most) * LEVELS);
  }
  const picture = indexedPng(columns.length, pixels, PALETTE).toString("base64");
  const [first, last] = [shown[0]!, shown.at(-1)!];
  const steps = [first.step, last.step].map((step) => step.toLocaleString("en"));
  const text = `${name} between ${short(low)} and ${short(high)}, step ${steps[0]} to ${steps[1]}`;
  return `<figure>
<figcaption><b>${escapeHtml(name.slice(name.indexOf("/") + 1))}</b><span class="key-text">${short(low)} to ${short(high)}</span></figcaption>
<img class="map small" loading="lazy" decoding="async" src="data:image/png;base64,${picture}" alt="${escapeHtml(text)}">
<div class="ends"><span>step ${steps[0]}</span><span>${steps[1]}</span></div>
</figure>`;
}

/** The counts in bins of one size from `low` to `high`: of a bin of the row, each has the share that it overlaps. */
export function rebin({ edges, counts }: Histogram, low: number, high: number): number[] {
  const bins = new Array<number>(BINS).fill(0);
  const width = (high - low) / BINS || 1;
  const binAt = (value: number): number => Math.min(BINS - 1, Math.max(0, Math.floor((value - low) / width)));
  for (const [index, many] of counts.entries()) {
    const [from, to] = [edges[index]!, edges[index + 1]!];
    if (many === 0) continue;
    if (to <= from) bins[binAt(from)]! += many;
    for (let bin = binAt(from); to > from && bin <= binAt(to); bin++) {
      const overlap = Math.min(to, low + (bin + 1) * width) - Math.max(from, low + bin * width);
      bins[bin]! += (Math.max(0, overlap) / (to - from)) * many;
    }
  }
  return bins;
}
