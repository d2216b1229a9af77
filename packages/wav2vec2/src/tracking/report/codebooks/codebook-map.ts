import type { Chart } from "../../../pages/charts/chart.js";
import { indexedPng } from "../../../pages/charts/png.js";
import { escapeHtml } from "../../../pages/html.js";
import { groupTone, type Rows } from "../metric-series.js";
import { COLORS, levelOf, percentOf, SCALE } from "./codebook-colors.js";
import { ofLastShape, summed, together, type Usage } from "./codebook-use.js";

/**
 * Which entries of the codebooks are in use, over the validations of a run: a map for each codebook. Collapse shows as a map that turns empty but for a few strong lines.
 *
 * @param rows the lines of `codebooks.jsonl`
 */
export function codebookSection(rows: Rows): string {
  const maps = codebookMaps(rows);
  if (maps.length === 0) return "";
  return `<section><h2>Use of the codebooks in validation</h2>
<p class="legend">Each line is an entry, the one most in use at the end on top. Validations go from left to right.</p>
${legend()}
<div class="charts">${maps.map(drawMap).join("\n")}</div></section>`;
}

/** How many entries each codebook has, by the lines of `codebooks.jsonl`. */
export function codebookSize(rows: Rows): number | undefined {
  return usagesOf(rows).at(-1)?.counts[0]?.length;
}

/** How many entries of each codebook were chosen at all, over the lines of `codebooks.jsonl`. */
export function entriesChart(rows: Rows): Chart {
  const usages = usagesOf(rows);
  const codebooks = usages.at(-1)?.counts ?? [];
  return {
    title: "Entries in use",
    format: "count",
    series: codebooks.map((_, group) => ({
      name: `codebook ${group}`,
      tone: groupTone(group),
      points: usages.map(({ step, counts }) => ({ x: step, y: used(counts[group]!) })),
    })),
    reference: { name: "all", value: codebooks[0]?.length ?? 0 },
  };
}

/** The map of a codebook, with what it shows in words. */
export interface CodebookMap {
  /** A pixel for each entry of each column, as a data URL. */
  picture: string;
  columns: number;
  entries: number;
  first: number;
  last: number;
  /** How many of them were chosen. */
  chosen: string;
}

/** @param rows the lines of `codebooks.jsonl`; none give no map */
export function codebookMaps(rows: Rows): CodebookMap[] {
  const usages = usagesOf(rows);
  const columns = together(usages).map(summed);
  return (usages.at(-1)?.counts ?? []).map((_, group) => mapOf(usages, columns, group));
}

/** @param all neighbours as one */
function mapOf(usages: readonly Usage[], all: readonly Usage[], group: number): CodebookMap {
  const [first, last] = [usages[0]!, usages.at(-1)!];
  const final = last.counts[group]!;
  const order = final.map((_, entry) => entry).sort((a, b) => final[b]! - final[a]!);
  const columns = all.map(({ counts }) => counts[group]!);
  const pixels = new Uint8Array(columns.length * order.length);
  for (const [x, counts] of columns.entries()) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    for (const [y, entry] of order.entries())
      pixels[y * columns.length + x] = levelOf((counts[entry]! / (total || 1)) * order.length);
  }
  return {
    picture: `data:image/png;base64,${indexedPng(columns.length, pixels, COLORS).toString("base64")}`,
    columns: columns.length,
    entries: order.length,
    first: first.step,
    last: last.step,
    chosen: `${used(final)} of ${final.length} entries chosen at the end`,
  };
}

function drawMap({ picture, first, last, chosen }: CodebookMap, group: number): string {
  const steps = `step ${first.toLocaleString("en")} to ${last.toLocaleString("en")}`;
  return `<figure>
<figcaption><b>Codebook ${group}</b><span class="key-text">${chosen}</span></figcaption>
<img class="map" src="${picture}" alt="${escapeHtml(`Use of the entries of codebook ${group}, ${steps}: ${chosen}`)}">
<div class="ends"><span>step ${first.toLocaleString("en")}</span><span>${last.toLocaleString("en")}</span></div>
</figure>`;
}

function usagesOf(rows: Rows): Usage[] {
  return ofLastShape(rows.flatMap(({ step, counts }) => (isCounts(counts) ? [{ step, counts }] : [])));
}

function isCounts(value: unknown): value is number[][] {
  return (
    Array.isArray(value) &&
    value.every(
      (entries) => Array.isArray(entries) && entries.length > 0 && entries.every((count) => count >= 0),
    )
  );
}

function used(counts: readonly number[]): number {
  return counts.filter((count) => count > 0).length;
}

/** The scale with its marks, and what no colour means. */
function legend(): string {
  const stops = SCALE.map(
    ({ timesEven, color: [red, green, blue, opacity] }) =>
      `rgb(${red} ${green} ${blue}/${Math.round((opacity / 255) * 100)}%) ${percentOf(timesEven)}`,
  );
  const marks = SCALE.slice(1).map(
    ({ timesEven }) =>
      `<span style="left:${percentOf(timesEven)}">${timesEven === 1 ? "1" : `${timesEven}×`}</span>`,
  );
  return `<div class="scale"><span>not chosen</span><i></i><span>chosen, against even use of all</span>
<div><i style="background:linear-gradient(to right,${stops.join(",")})"></i>${marks.join("")}</div></div>`;
}
