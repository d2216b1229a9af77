import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.js";
import { alignWords, type WordPair } from "./aligned-words.js";
import { type Chart, drawChart, escapeHtml, type Series } from "./chart.js";
import { formatDuration } from "./duration.js";
import { readStepLines } from "./metrics-file.js";
import { reportStyle } from "./report-style.js";

type Rows = ReturnType<typeof readStepLines>;

/** How many utterances of the last validation the report shows. */
const MOST_TRANSCRIPTS = 12;
/** A longer gap between two lines of metrics is an interruption, not training. */
const LONGEST_PAUSE_SECONDS = 600;

/**
 * Writes `report.html` into a run directory from its metrics, transcripts and recipe: one file without outside
 * references, readable in light and dark. Works on a run of any length, also one that is still going on.
 * @returns the report's path
 */
export async function writeReport(runDirectory: string): Promise<string> {
  const metrics = readStepLines(join(runDirectory, "metrics.jsonl"));
  const transcripts = readStepLines(join(runDirectory, "transcripts.jsonl"));
  const recipePath = join(runDirectory, "recipe.yaml");
  const recipe = existsSync(recipePath) ? readFileSync(recipePath, "utf8") : "";
  const path = join(runDirectory, "report.html");
  await writeFileAtomic(path, page(basename(resolve(runDirectory)), metrics, transcripts, recipe));
  return path;
}

function page(name: string, metrics: Rows, transcripts: Rows, recipe: string): string {
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
${tiles(metrics)}
<section class="charts">
${charts(metrics).map(drawChart).filter(Boolean).join("\n") || "<p>No metrics yet.</p>"}
</section>
${transcriptSection(transcripts)}
${recipe ? `<section><h2>Recipe</h2><pre>${escapeHtml(recipe)}</pre></section>` : ""}
</main>
</body>
</html>
`;
}

function charts(metrics: Rows): Chart[] {
  const percent = (value: number): string => `${Number((value * 100).toFixed(1))} %`;
  const short = (value: number): string => String(Number(value.toPrecision(3)));
  return [
    {
      title: "Training loss",
      scale: "log",
      format: short,
      series: [series(metrics, "loss", "loss", 1)],
    },
    {
      title: "Error rate on the validation split",
      format: percent,
      series: [series(metrics, "eval/wer", "words", 1), series(metrics, "eval/cer", "characters", 2)],
    },
    {
      title: "CTC loss of a validation utterance",
      scale: "log",
      format: short,
      series: [series(metrics, "eval/ctc_loss", "CTC loss", 1)],
    },
    {
      title: "Share of blanks in validation frames",
      format: percent,
      series: [series(metrics, "eval/blank_share", "blanks", 1)],
    },
    {
      title: "Learning rate",
      format: (value) => (value === 0 ? "0" : value.toExponential(1).replace(".0e", "e")),
      series: [series(metrics, "learning_rate", "learning rate", 1)],
    },
    {
      title: "Gradient norm",
      scale: "log",
      format: short,
      series: [series(metrics, "grad_norm", "norm", 1)],
    },
  ];
}

function series(metrics: Rows, metric: string, name: string, tone: Series["tone"]): Series {
  return {
    name,
    tone,
    points: metrics.flatMap((row) => {
      const value = row[metric];
      return typeof value === "number" ? [{ x: row.step, y: value }] : [];
    }),
  };
}

function tiles(metrics: Rows): string {
  const wer = series(metrics, "eval/wer", "", 1).points;
  const best = wer.reduce<(typeof wer)[number] | undefined>(
    (lowest, point) => (lowest === undefined || point.y < lowest.y ? point : lowest),
    undefined,
  );
  const speeds = series(metrics, "audio_seconds_per_second", "", 1)
    .points.map(({ y }) => y)
    .sort((a, b) => a - b);
  const speed = speeds[Math.floor(speeds.length / 2)];
  const entries: [string, string, string][] = [];
  if (best)
    entries.push([
      "Best word error rate",
      `${(best.y * 100).toFixed(1)} %`,
      `at step ${best.x.toLocaleString("en")}`,
    ]);
  entries.push([
    "Steps",
    (metrics.at(-1)?.step ?? 0).toLocaleString("en"),
    `in ${formatDuration(secondsTrained(metrics))}`,
  ]);
  if (speed !== undefined) entries.push(["Speed", `${speed.toPrecision(3)}×`, "seconds of audio a second"]);
  return `<dl class="tiles">${entries
    .map(
      ([name, value, detail]) =>
        `<div><dt>${name}</dt><dd>${value}</dd><dd class="detail">${detail}</dd></div>`,
    )
    .join("")}</dl>`;
}

/** Time between the first and the last line, without the pauses of an interrupted run. */
function secondsTrained(metrics: Rows): number {
  const times = metrics.flatMap(({ time }) => (typeof time === "number" ? [time] : []));
  return times.slice(1).reduce((sum, time, index) => {
    const gap = time - times[index]!;
    return gap > LONGEST_PAUSE_SECONDS ? sum : sum + gap;
  }, 0);
}

function transcriptSection(transcripts: Rows): string {
  const last = transcripts.at(-1);
  if (!last) return "";
  const rows = transcripts.filter(({ step }) => step === last.step).slice(0, MOST_TRANSCRIPTS);
  const body = rows.map(({ id, reference, hypothesis }) => {
    const pairs = alignWords(String(reference), String(hypothesis));
    const right = pairs.every((pair) => pair.reference === pair.hypothesis);
    return `<tr><th scope="row">${escapeHtml(String(id))}</th><td>
<div><span class="who">reference</span>${escapeHtml(String(reference))}</div>
<div><span class="who">hypothesis</span>${pairs.map(showRecognised).join(" ")}</div>
</td><td>${right ? "✓" : ""}</td></tr>`;
  });
  return `<section><h2>What the model heard at step ${last.step.toLocaleString("en")}</h2>
<table>${body.join("\n")}</table></section>`;
}

function showRecognised({ reference, hypothesis }: WordPair): string {
  if (hypothesis === undefined) return `<del title="left out">${escapeHtml(reference ?? "")}</del>`;
  const word = escapeHtml(hypothesis);
  if (hypothesis === reference) return word;
  return `<mark title="${reference === undefined ? "added" : `for ${escapeHtml(reference)}`}">${word}</mark>`;
}
