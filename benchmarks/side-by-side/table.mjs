// Stored results as a page of Markdown.
import { existsSync, readFileSync } from "node:fs";
import { median } from "../../packages/wav2vec2/dist/tracking/report/median.js";
import { logitsOf } from "./command.mjs";
import { JOBS, jobFlops } from "./jobs.mjs";
import { ROWS } from "./programs.mjs";

const OURS = "wav2vec2";

/**
 * What the processes of a row measured together.
 *
 * @typedef {object} Summary
 * @property {number} seconds median over processes of each one's median pass
 * @property {number} fastest pass
 * @property {number} slowest pass
 * @property {number} processes
 * @property {number} [processor] seconds of all cores, as `seconds`
 * @property {number} peakMb median
 * @property {readonly string[]} commits
 */

/** @returns {Summary | undefined} undefined where nothing was measured */
export function summarize({ runs }) {
  if (runs.length === 0) return undefined;
  const passes = runs.flatMap(({ seconds }) => seconds);
  return {
    seconds: median(runs.map(({ seconds }) => median(seconds))),
    fastest: Math.min(...passes),
    slowest: Math.max(...passes),
    processor: runs.every((run) => run.processor)
      ? median(runs.map(({ processor }) => median(processor)))
      : undefined,
    processes: runs.length,
    peakMb: median(runs.map(({ peakMb }) => peakMb)),
    commits: [...new Set(runs.map(({ commit }) => commit))],
  };
}

/**
 * @param {import("./store.mjs").Store} store
 * @param {{ folder: string, why: (row: import("./programs.mjs").Row) => string | undefined }} options why: a row is left out
 * @returns {string} Markdown
 */
export function renderTables(store, { folder, why }) {
  const peaks = peaksOf(store);
  return JOBS.map((job) => renderJob(store, job, { folder, why, peaks }))
    .filter((part) => part !== "")
    .join("\n\n");
}

/**
 * Floating-point operations a second of matrix products, the best that was seen, by precision.
 *
 * @param {"seconds" | "processor"} [key] by the clock, or by seconds of all cores
 */
export function peaksOf(store, key = "seconds") {
  const peaks = {};
  for (const { id, precision } of ROWS.filter(({ job }) => job.kind === "products")) {
    const rates = store.row(id).runs.flatMap((run) => (run[key] ? run.flops / Math.min(...run[key]) : []));
    if (rates.length > 0) peaks[precision] = Math.max(...rates);
  }
  return peaks;
}

const HEAD = [
  "program",
  "precision",
  "seconds, median (fastest to slowest)",
  "this project takes",
  "processor seconds",
  "this project takes",
  "audio s/s",
  "GFLOP/s",
  "of the peak",
  "over the floor",
  "peak memory",
  "this project takes",
  "differs by",
];

function renderJob(store, job, { folder, why, peaks }) {
  const rows = ROWS.filter((row) => row.job === job);
  if (rows.every(({ id }) => store.row(id).runs.length === 0 && !store.row(id).error)) return "";
  const flops = jobFlops(job);
  const ours = (precision) => summarize(store.row(`${job.name}/${OURS}/${precision}`));
  const lines = rows.map((row) => {
    const { id, program, precision } = row;
    const stored = store.row(id);
    const found = summarize(stored);
    if (!found) return [program.title, precision, stored.error ?? why(row) ?? "not measured"];
    const own = program.name === OURS ? undefined : ours(precision);
    const rate = (flops ?? stored.runs[0].flops) / found.seconds;
    const peak = peaks[precision];
    const heard = stored.runs[0].audioSeconds ?? job.clips * job.seconds;
    return [
      program.title,
      precision,
      `${digits(found.seconds)} (${digits(found.fastest)} to ${digits(found.slowest)}, ${found.processes} runs)`,
      own ? times(own.seconds / found.seconds) : "",
      found.processor ? digits(found.processor) : "",
      own?.processor && found.processor ? times(own.processor / found.processor) : "",
      heard ? digits(heard / found.seconds) : "",
      rate ? digits(rate / 1e9) : "",
      rate && peak ? `${Math.round((100 * rate) / peak)} %` : "",
      rate && peak ? times(peak / rate) : "",
      `${Math.round(found.peakMb).toLocaleString("en")} MB`,
      own ? times(own.peakMb / found.peakMb) : "",
      stored.runs[0].texts ? textDifferences(store, row) : logitDifferences(folder, row),
    ];
  });
  const used = HEAD.map((_, column) => column < 3 || lines.some((line) => line[column]));
  const render = (cells) => `| ${used.flatMap((use, i) => (use ? [cells[i] ?? ""] : [])).join(" | ")} |`;
  const byProcessor = peaksOf(store, "processor");
  const floors = Object.entries(peaks).map(([name, peak]) => {
    const processor = byProcessor[name] ? ` (${digits(flops / byProcessor[name])} processor seconds)` : "";
    return flops && `${digits(flops / peak)} s in ${name}${processor}`;
  });
  const floor =
    flops && job.kind !== "products" && floors.length > 0
      ? `\n\nMatrix products: ${digits(flops / 1e9)} GFLOP, at the peak ${floors.join(", ")}.`
      : "";
  return `## ${job.title}\n\n${render(HEAD)}\n|${"---|".repeat(used.filter(Boolean).length)}\n${lines.map(render).join("\n")}${floor}`;
}

/** The largest difference of inference's logits from this project's in float32. */
function logitDifferences(folder, { id, job }) {
  const own = logitsOf(folder, `${job.name}/${OURS}/float32`);
  const path = logitsOf(folder, id);
  if (path === own || !existsSync(own) || !existsSync(path)) return "";
  const [expected, given] = [own, path].map(readFloats);
  if (expected.length !== given.length) return `**${given.length} logits instead of ${expected.length}**`;
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - given[i])), 0).toExponential(1);
}

/** How many texts are others than this project's. */
function textDifferences(store, { id, job, program, precision }) {
  const own = store.row(`${job.name}/${OURS}/${precision}`).runs[0]?.texts;
  if (program.name === OURS || !own) return "";
  const { texts } = store.row(id).runs[0];
  return `${texts.filter((text, i) => text !== own[i]).length} of ${own.length} texts`;
}

function readFloats(path) {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

function digits(value) {
  return String(Number(value.toPrecision(3)));
}

function times(value) {
  return value.toFixed(2);
}
