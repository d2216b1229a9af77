import { counted } from "../../counted.js";
import { drawBarChart } from "../../pages/charts/bar-chart.js";
import { count, FORMATS, percent } from "../../pages/format.js";
import { escapeHtml } from "../../pages/html.js";
import { clipNotes, renderNotes, renderTiles, type Tile } from "../../pages/parts.js";
import { renderTable } from "../../pages/table.js";
import { formatDuration } from "../../tracking/duration.js";
import type { ReportClips } from "../report/report-clips.js";
import { renderReport, renderUtteranceList } from "../report/report-parts.js";
import type { ListedUtterance } from "../report/report-script.js";
import type { ClassifiedClip, ClassifierResult } from "./classifier-result.js";

/** More bars than these cannot be told apart, and more columns cannot be read. */
const MOST_BARS = 60;
const MOST_COLUMNS = 30;

/** The page of a classifier's result: one file without outside references, but for clips that lie beside it. */
export function classifierPage(result: ClassifierResult, clips: ReportClips): string {
  const { skipped, model, split, data, column, clipCount, seconds } = result;
  const remarks =
    skipped.length > 0
      ? [
          `${counted(skipped.length, "clip", count(skipped.length))} could not be used: ${skipped[0]!.message}`,
        ]
      : [];
  return renderReport({
    kind: "evaluation",
    title: `${model}${split === undefined ? "" : ` on ${split}`}`,
    about: [
      data,
      `labels in '${column}'`,
      counted(clipCount, "clip", count(clipCount)),
      formatDuration(seconds),
    ],
    sections: [
      renderNotes([...remarks, ...clipNotes({ left: clips.left, played: clips.urls.size })]),
      renderTiles(tiles(result)),
      charts(result),
      labelTable(result),
      confusionTable(result),
      clipList(result),
    ],
    utterances: result.clips.map(listed),
    clips,
  });
}

function tiles({ classes, verification, decisions, clips, bootstrap }: ClassifierResult): Tile[] {
  const drawn = bootstrap.by === "speaker" ? "over speakers" : "95 %";
  const range = ({ low, high }: { low: number; high: number }) =>
    `${percent(low)} to ${percent(high)} (${drawn})`;
  const right = clips.filter((clip) => clip.right).length;
  return [
    ...(verification
      ? [
          {
            name: "Equal error rate",
            value: percent(verification.equalErrorRate),
            detail: range(verification.equalErrorRateInterval),
          },
          {
            name: "minDCF",
            value: verification.minDcf.toFixed(3),
            detail: `${count(verification.trials)} pairs, ${count(verification.same)} of one speaker`,
          },
        ]
      : []),
    ...(classes
      ? [
          { name: "Accuracy", value: percent(classes.accuracy), detail: range(classes.accuracyInterval) },
          { name: "Macro F1", value: percent(classes.macroF1), detail: range(classes.macroF1Interval) },
          {
            name: decisions === "clips" ? "Right clips" : "Clips without a wrong frame",
            value: count(right),
            detail: `of ${count(clips.length)}`,
          },
        ]
      : []),
  ];
}

function charts({ classes }: ClassifierResult): string {
  if (!classes || classes.labels.length < 2) return "";
  const labels = [...classes.labels].sort((a, b) => a.f1 - b.f1).slice(0, MOST_BARS);
  const bars = labels.map(({ label, f1, count: n }) => ({
    name: label,
    value: f1,
    detail: `${label}: ${percent(f1)}, ${count(n)} there`,
  }));
  const axis =
    classes.labels.length > MOST_BARS ? `the ${MOST_BARS} worst of ${classes.labels.length} labels` : "label";
  return `<section class="charts one">\n${drawBarChart({ title: "F1 by label", axis, bars, format: FORMATS.percent })}\n</section>`;
}

function labelTable({ classes }: ClassifierResult): string {
  if (!classes) return "";
  const rows = classes.labels.map(({ label, count: n, predicted, precision, recall, f1 }) => [
    escapeHtml(label),
    count(n),
    count(predicted),
    percent(precision),
    percent(recall),
    percent(f1),
  ]);
  const table = renderTable({
    label: "By label",
    header: ["Label", "There", "Predicted", "Precision", "Recall", "F1"],
    rows,
  });
  return `<section><h2>How well each label is found</h2>\n<details${rows.length <= MOST_COLUMNS ? " open" : ""}><summary>By label</summary>${table}</details></section>`;
}

function confusionTable({ classes, labels }: ClassifierResult): string {
  const { confusion } = classes ?? {};
  if (!confusion || labels.length > MOST_COLUMNS) return "";
  const rows = confusion.map((line, reference) => [
    escapeHtml(labels[reference]!),
    ...line.map((n, hypothesis) =>
      reference === hypothesis ? `<b>${count(n)}</b>` : n === 0 ? "" : count(n),
    ),
  ]);
  const table = renderTable({
    label: "What was taken for what",
    header: ["is, taken for", ...labels.map(escapeHtml)],
    rows,
  });
  return `<section><h2>What was taken for what</h2>\n${table}</section>`;
}

function clipList({ clips }: ClassifierResult): string {
  const names = (of: (clip: ClassifiedClip) => string | undefined) =>
    [...new Set(clips.flatMap((clip) => of(clip) ?? []))].sort();
  return renderUtteranceList({
    legend: "What a clip is above, what it was taken for below; <b>wrong ones</b> are underlined.",
    orders: {
      errors: "wrong first",
      confidence: "least sure",
      longest: "longest",
      shortest: "shortest",
      id: "id",
    },
    wrong: "wrong ones only",
    splits: names(({ split }) => split),
    speakers: names(({ speaker }) => speaker),
  });
}

function listed({
  id,
  split,
  speaker,
  seconds,
  reference,
  hypothesis,
  score,
  right,
}: ClassifiedClip): ListedUtterance {
  return {
    id,
    split,
    speaker,
    seconds: Number(seconds.toFixed(2)),
    confidence: Number(score.toFixed(3)),
    words: 1,
    errors: Number(!right),
    wrong: !right,
    facts: [`score ${score.toFixed(3)}`, `${seconds.toFixed(1)} s`],
    rows: 2,
    pairs: right ? [reference] : [[reference, hypothesis]],
  };
}
