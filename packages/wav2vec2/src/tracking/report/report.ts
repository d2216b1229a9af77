import { join } from "node:path";
import { isObject, type Kind, PATH, requireArguments } from "../../argument-kinds.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { type Chart, drawChart } from "../../pages/charts/chart.js";
import { escapeHtml } from "../../pages/html.js";
import { renderPage } from "../../pages/page.js";
import { clipNotes, renderNotes, renderTiles, type Tile } from "../../pages/parts.js";
import { isClassification, TASK_NAMES } from "../trained-task.js";
import { codebookSection } from "./codebooks/codebook-map.js";
import { codedClipSection, shownCodedClips } from "./codebooks/coded-clip-drawing.js";
import { type RunData, readRun } from "./read-run.js";
import { embedRunClips } from "./run-clips.js";
import { momentOf, runFactsSection, stateOf } from "./run-facts.js";
import { classificationCharts, classificationTiles } from "./sections/classification-sections.js";
import { findingSection } from "./sections/finding-section.js";
import { finetuneCharts, finetuneTiles } from "./sections/finetune-sections.js";
import { histogramSection } from "./sections/histogram-section.js";
import { endsCollapsed, pretrainCharts, pretrainTiles } from "./sections/pretrain-sections.js";
import { shownTranscripts, transcriptSection } from "./sections/transcript-section.js";
import { systemCharts } from "./system-charts.js";

export interface ReportOptions {
  /** Weight of the moving average of long curves, from 0 to below 1. Default: 0, the values as they are */
  smooth?: number;
  /** Default: {@link reportPath} */
  path?: string;
}

const RUN: Kind = {
  must: "a run directory",
  holds: (value) => PATH.holds(value) || (isObject(value) && Array.isArray(value.metrics)),
};
const SMOOTH: Kind = {
  must: "a number from 0 to below 1",
  holds: (value) => typeof value === "number" && value >= 0 && value < 1,
};

/**
 * Writes a run's report from its metrics, its recipe and the files that lie beside them: one file without outside references,
 * readable in light and dark. Works on a run of any length and either kind of training, also one that is still going on or
 * was made by an earlier version.
 *
 * @param run its directory, or what was read of it
 * @returns the report's path
 */
export async function writeReport(run: string | RunData, options: ReportOptions = {}): Promise<string> {
  requireArguments("writeReport", { run: [run, RUN] });
  requireOptions("writeReport", options, {
    smooth: SMOOTH,
    path: PATH,
  } satisfies KnownOptions<ReportOptions>);
  const data = typeof run === "string" ? readRun(run) : run;
  const { path = reportPath(data.directory) } = options;
  await writeFileAtomic(path, await reportPage(data, options));
  return path;
}

/** Where a run's report stands. */
export function reportPath(runDirectory: string): string {
  return join(runDirectory, "report.html");
}

async function reportPage(data: RunData, { smooth = 0 }: ReportOptions): Promise<string> {
  const { directory, name, metrics, codebooks, codedClips, transcripts, findings, system } = data;
  const tiles = tilesOf(data);
  const clips = await embedRunClips([
    { directory, rows: shownTranscripts(transcripts) },
    { directory, rows: shownCodedClips(codedClips) },
  ]);
  return renderPage({
    kind: "run",
    title: name,
    about: about(data),
    clips: clips.urls,
    sections: [
      findingSection(findings, endsCollapsed(metrics, codebooks)),
      renderTiles(tiles),
      chartSection(chartsOf(data), smooth) || "<p>No metrics yet.</p>",
      codebookSection(codebooks),
      renderNotes([...data.broken, ...clipNotes(clips)]),
      codedClipSection(codedClips, clips),
      transcriptSection(transcripts, clips),
      chartSection(systemCharts(system), 0, "Machine"),
      histogramSection(data.histograms),
      runFactsSection(data),
      recipeSection(data),
    ],
  });
}

function tilesOf({ task, metrics, codebooks }: RunData): Tile[] {
  if (isClassification(task)) return classificationTiles(metrics);
  return task === "pretrain" ? pretrainTiles(metrics, codebooks) : finetuneTiles(metrics);
}

/** The curves of a run's metrics. */
export function chartsOf({ task, metrics, codebooks }: RunData): Chart[] {
  if (isClassification(task)) return classificationCharts(metrics);
  return task === "pretrain" ? pretrainCharts(metrics, codebooks) : finetuneCharts(metrics);
}

function about(data: RunData): string[] {
  const { task, run } = data;
  const began = momentOf(run.began);
  return [
    ...(task === undefined ? [] : [TASK_NAMES[task]]),
    ...[stateOf(data) ?? [], began === undefined ? [] : `began ${began}`, run.host ?? []].flat(),
  ];
}

function chartSection(charts: readonly Chart[], smooth: number, title?: string): string {
  const drawn = charts.map((chart) => drawChart(chart, { smooth })).filter(Boolean);
  if (drawn.length === 0) return "";
  const heading = title === undefined ? "" : `<h2>${title}</h2>\n`;
  return `<section>${heading}<div class="charts">\n${drawn.join("\n")}\n</div></section>`;
}

function recipeSection({ recipeText }: RunData): string {
  if (recipeText === "") return "";
  return `<section><h2>Recipe</h2><pre tabindex="0" role="region" aria-label="Recipe">${escapeHtml(recipeText)}</pre></section>`;
}
