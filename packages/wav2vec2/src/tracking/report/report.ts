import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.js";
import { readStepLines } from "../sinks/metrics-file.js";
import { drawChart, escapeHtml } from "./chart.js";
import { codebookSection } from "./codebook-map.js";
import { codedClipSection } from "./coded-clip-drawing.js";
import { findingSection } from "./finding-section.js";
import { finetuneCharts, finetuneTiles, transcriptSection } from "./finetune-sections.js";
import type { Rows } from "./metric-series.js";
import { endsCollapsed, isPretraining, pretrainCharts, pretrainTiles } from "./pretrain-sections.js";
import { reportStyle } from "./report-style.js";
import type { Tile } from "./run-sections.js";

/**
 * Writes `report.html` into a run directory from its metrics, its recipe and the files that lie beside them: one file
 * without outside references, readable in light and dark. Works on a run of any length and either kind of training,
 * also one that is still going on.
 * @returns the report's path
 */
export async function writeReport(runDirectory: string): Promise<string> {
  const read = (name: string): Rows => readStepLines(join(runDirectory, name));
  const metrics = read("metrics.jsonl");
  const recipePath = join(runDirectory, "recipe.yaml");
  const recipe = existsSync(recipePath) ? readFileSync(recipePath, "utf8") : "";
  const pretraining = isPretraining(metrics);
  const codebooks = read("codebooks.jsonl");
  const charts = (pretraining ? pretrainCharts(metrics, codebooks) : finetuneCharts(metrics))
    .map(drawChart)
    .filter(Boolean);
  const sections = [
    findingSection(read("findings.jsonl"), endsCollapsed(metrics, codebooks)),
    drawTiles(pretraining ? pretrainTiles(metrics, codebooks) : finetuneTiles(metrics)),
    `<section class="charts">\n${charts.join("\n") || "<p>No metrics yet.</p>"}\n</section>`,
    codebookSection(codebooks),
    codedClipSection(read("coded-clips.jsonl")),
    transcriptSection(read("transcripts.jsonl")),
    recipe && `<section><h2>Recipe</h2><pre>${escapeHtml(recipe)}</pre></section>`,
  ];
  const path = reportPath(runDirectory);
  await writeFileAtomic(path, page(basename(resolve(runDirectory)), sections.filter(Boolean).join("\n")));
  return path;
}

/** Where a run's report stands. */
export function reportPath(runDirectory: string): string {
  return join(runDirectory, "report.html");
}

function page(name: string, content: string): string {
  const title = escapeHtml(name);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – wav2vec2</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
<header><p>wav2vec2 run</p><h1>${title}</h1></header>
${content}
</main>
</body>
</html>
`;
}

function drawTiles(tiles: readonly Tile[]): string {
  const entries = tiles.map(
    ({ name, value, detail }) =>
      `<div><dt>${name}</dt><dd>${value}</dd><dd class="detail">${detail}</dd></div>`,
  );
  return `<dl class="tiles">${entries.join("")}</dl>`;
}
