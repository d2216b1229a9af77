import { count, FORMATS, type Format, short } from "../../../pages/format.js";
import { renderTable } from "../../../pages/table.js";
import { formatDuration } from "../../duration.js";
import type { TrainedTask } from "../../trained-task.js";
import { median } from "../median.js";
import { best, pointsOf } from "../metric-series.js";
import type { RunData } from "../read-run.js";
import { stateOf } from "../run-facts.js";
import { healthyRows } from "../sections/pretrain-sections.js";
import { trainedSeconds } from "../sections/run-sections.js";
import type { RunGroup } from "./run-groups.js";

interface Column {
  title: string;
  metric: string;
  format: Format;
  /** 1 where the highest is best, -1 where the lowest is; without it the last value counts. */
  better?: 1 | -1;
}

const OF_LABELS: readonly Column[] = [
  { title: "Best accuracy", metric: "eval/accuracy", format: "percent", better: 1 },
  { title: "Best macro F1", metric: "eval/macro_f1", format: "percent", better: 1 },
  { title: "Last training loss", metric: "loss", format: "short" },
];

const COLUMNS: Readonly<Record<TrainedTask, readonly Column[]>> = {
  classify: OF_LABELS,
  frames: OF_LABELS,
  speaker: [{ title: "Lowest EER", metric: "eval/eer", format: "percent", better: -1 }, ...OF_LABELS],
  finetune: [
    { title: "Best WER", metric: "eval/wer", format: "percent", better: -1 },
    { title: "Best CER", metric: "eval/cer", format: "percent", better: -1 },
    { title: "Best CTC loss", metric: "eval/ctc_loss", format: "short", better: -1 },
    { title: "Last training loss", metric: "loss", format: "short" },
  ],
  pretrain: [
    { title: "Best contrastive loss", metric: "eval/contrastive_loss", format: "short", better: -1 },
    { title: "Best accuracy", metric: "eval/accuracy", format: "percent", better: 1 },
    { title: "Last perplexity", metric: "eval/codevector_perplexity", format: "short" },
    { title: "Last training loss", metric: "contrastive_loss", format: "short" },
  ],
};

interface Value {
  shown: number;
  /** HTML of what there is to say of it. */
  detail: string;
}

/** Best and last values, a run a row, behind several that differ in seed their mean. @param headOf HTML of a run's name */
export function valueTable(groups: readonly RunGroup[], headOf: (run: RunData) => string): string {
  const runs = groups.flatMap((group) => group.runs);
  const columns = COLUMNS[runs.find(({ task }) => task)?.task ?? "finetune"];
  const values = new Map(runs.map((run) => [run, columns.map((column) => valueIn(run, column))]));
  const winners = columns.map(({ better }, index) => {
    const all = runs.flatMap((run) => values.get(run)![index]?.shown ?? []);
    return better && runs.length > 1 ? (better < 0 ? Math.min(...all) : Math.max(...all)) : undefined;
  });
  const cell = (value: Value | undefined, index: number): string => {
    if (!value) return "–";
    const text = FORMATS[columns[index]!.format](value.shown);
    return `${value.shown === winners[index] ? `<span class="best">${text}</span>` : text}<small>${value.detail}</small>`;
  };
  const rows = groups.flatMap((group) => [
    ...group.runs.map((run) => [headOf(run), ...values.get(run)!.map(cell), ...lengthOf(run)]),
    ...(group.runs.length > 1 ? [meanRow(group, columns, values)] : []),
  ]);
  return `<section><h2>Best and last values</h2>
${renderTable({
  label: "Best and last values",
  header: ["run", ...columns.map(({ title }) => title), "Steps", "Speed", "State"],
  rows,
})}</section>`;
}

function valueIn(run: RunData, { metric, format, better }: Column): Value | undefined {
  const rows = better && run.task === "pretrain" ? healthyRows(run.metrics, run.codebooks) : run.metrics;
  const points = pointsOf(rows, metric);
  const last = points.at(-1);
  if (!last) return undefined;
  if (!better) return { shown: last.y, detail: `step ${count(last.x)}` };
  const first = best(points, (a, b) => (b - a) * better)!;
  return { shown: first.y, detail: `step ${count(first.x)}; last ${FORMATS[format](last.y)}` };
}

/** Of one group: means, and from where to where the values go. */
function meanRow(
  { name, runs }: RunGroup,
  columns: readonly Column[],
  values: ReadonlyMap<RunData, readonly (Value | undefined)[]>,
): string[] {
  const cells = columns.map(({ format }, index) => {
    const own = runs.flatMap((run) => values.get(run)![index]?.shown ?? []);
    if (own.length === 0) return "–";
    const write = FORMATS[format];
    const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
    return `${write(mean)}<small>${write(Math.min(...own))} to ${write(Math.max(...own))}</small>`;
  });
  return [`mean of ${runs.length}`, ...cells, "", "", ""].map((cell, index) =>
    index === 0 ? `<i title="${name.replaceAll('"', "&quot;")}">${cell}</i>` : cell,
  );
}

function lengthOf(run: RunData): string[] {
  const { metrics } = run;
  const speed = median(pointsOf(metrics, "audio_seconds_per_second").map(({ y }) => y));
  const seconds = trainedSeconds(metrics).at(-1) ?? 0;
  return [
    `${count(metrics.at(-1)?.step ?? 0)}<small>${formatDuration(seconds)}</small>`,
    Number.isNaN(speed) ? "–" : `${short(speed)}×`,
    stateOf(run) ?? "–",
  ];
}
