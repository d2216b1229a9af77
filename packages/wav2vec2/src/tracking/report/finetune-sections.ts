import { alignWords, type WordPair } from "../../text/scoring/aligned-words.js";
import { type Chart, escapeHtml } from "./chart.js";
import { best, percent, pointsOf, type Rows, series, short } from "./metric-series.js";
import { gradientNormChart, learningRateChart, runTiles, type Tile } from "./run-sections.js";

/** How many utterances of the last validation the report shows. */
const MOST_TRANSCRIPTS = 12;

export function finetuneTiles(metrics: Rows): Tile[] {
  const lowest = best(pointsOf(metrics, "eval/wer"), (a, b) => a - b);
  const wer = lowest && {
    name: "Best word error rate",
    value: `${(lowest.y * 100).toFixed(1)} %`,
    detail: `at step ${lowest.x.toLocaleString("en")}`,
  };
  return [...(wer ? [wer] : []), ...runTiles(metrics)];
}

export function finetuneCharts(metrics: Rows): Chart[] {
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
    learningRateChart(metrics),
    gradientNormChart(metrics),
  ];
}

/** The last validation's utterances, with what was heard wrong marked. */
export function transcriptSection(transcripts: Rows): string {
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
