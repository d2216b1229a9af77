import { ofLastShape, summed, together } from "../../tracking/report/codebooks/codebook-use.js";
import type { ClipSample, CodebookUse, FindingLine, HistogramSeries, TranscriptSample } from "./protocol.js";

type Rows = readonly Readonly<Record<string, unknown>>[];

// What the files of a run hold is checked here: lines of another shape are left out, and the page is given what it expects.

export function transcriptsOf(rows: Rows): TranscriptSample[] {
  return rows.flatMap(({ id, reference, hypothesis, audio }) =>
    typeof reference === "string" && typeof hypothesis === "string"
      ? [{ id: String(id), reference, hypothesis, ...audioOf(audio) }]
      : [],
  );
}

export function findingOf({ step, name, text }: Rows[number]): FindingLine[] {
  return typeof step === "number" && typeof text === "string" ? [{ step, name: String(name), text }] : [];
}

export function clipsOf(rows: Rows): ClipSample[] {
  return rows.flatMap(({ id, seconds, waveform, masked, codes, found, audio }) => {
    const isClip =
      typeof seconds === "number" &&
      isPairs(waveform) &&
      isPairs(masked) &&
      isTable(codes) &&
      codes.length > 0 &&
      Array.isArray(found);
    return isClip
      ? [{ id: String(id), seconds, waveform, masked, codes, found: found.map(Boolean), ...audioOf(audio) }]
      : [];
  });
}

/** Lines of the shape of the last one: a run can go on with other codebooks than it began with. */
export function codebookUseOf(rows: Rows): CodebookUse {
  const usable = rows.flatMap(({ step, counts }) =>
    typeof step === "number" && isTable(counts) && counts.length > 0 ? [{ step, counts }] : [],
  );
  const columns = together(ofLastShape(usable)).map(summed);
  return { steps: columns.map(({ step }) => step), counts: columns.map(({ counts }) => counts) };
}

/** The newest of each few neighbours. */
export function histogramsOf(rows: Rows): HistogramSeries {
  const usable = rows.flatMap(({ step, edges, counts }) =>
    typeof step === "number" &&
    isNumbers(edges) &&
    isNumbers(counts) &&
    counts.length > 0 &&
    edges.length === counts.length + 1
      ? [{ step, edges, counts }]
      : [],
  );
  const shown = together(usable).map((part) => part.at(-1)!);
  return {
    steps: shown.map(({ step }) => step),
    histograms: shown.map(({ edges, counts }) => ({ edges, counts })),
  };
}

function audioOf(audio: unknown): { audio?: string } {
  return typeof audio === "string" ? { audio } : {};
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((one) => typeof one === "number");
}

function isTable(value: unknown): value is number[][] {
  return Array.isArray(value) && value.every(isNumbers);
}

function isPairs(value: unknown): value is [number, number][] {
  return isTable(value) && value.every(({ length }) => length === 2);
}
