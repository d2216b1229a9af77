import type { Chart } from "../../../pages/charts/chart.js";
import { percent, short } from "../../../pages/format.js";
import type { Tile } from "../../../pages/parts.js";
import { codebookSize, entriesChart } from "../codebooks/codebook-map.js";
import { isPerplexityOfCollapse } from "../codebooks/collapse.js";
import { best, groupTone, pointsOf, type Rows, series } from "../metric-series.js";
import { gradientNormChart, learningRateChart, runTiles, speedChart } from "./run-sections.js";

/** Gradient norms of pre-training that goes well, as Hugging Face's script advises (examples/pytorch/speech-pretraining). */
const HEALTHY_NORMS = { name: "usual: 0.5 to 2", from: 0.5, to: 2 };

/** Whether a run's metrics are those of pre-training. */
export function isPretraining(metrics: Rows): boolean {
  return metrics.some((row) => "contrastive_loss" in row || "eval/contrastive_loss" in row);
}

/** @param codebooks the lines of `codebooks.jsonl` */
export function pretrainTiles(metrics: Rows, codebooks: Rows): Tile[] {
  const chance = chanceLoss(metrics);
  const healthy = healthyRows(metrics, codebooks);
  const loss = best(pointsOf(healthy, "eval/contrastive_loss"), (a, b) => a - b);
  const accuracy = best(pointsOf(healthy, "eval/accuracy"), (a, b) => b - a);
  const perplexity = pointsOf(metrics, "eval/codevector_perplexity").at(-1);
  const groups = groupsOf(metrics).flatMap(
    (group) => pointsOf(metrics, `eval/codevector_perplexity_${group}`).at(-1)?.y ?? [],
  );
  const at = (step: number): string => `validation at step ${step.toLocaleString("en")}`;
  return [
    loss && {
      name: "Best contrastive loss",
      value: loss.y.toFixed(2),
      detail: `${chance === undefined ? "" : `${Math.round((loss.y / chance) * 100)} % of chance, `}${at(loss.x)}`,
    },
    accuracy && {
      name: "Best accuracy",
      value: percent(accuracy.y),
      detail: `${chance === undefined ? "" : `${short(accuracy.y / Math.exp(-chance))} times chance, `}${at(accuracy.x)}`,
    },
    perplexity && {
      name: "Codebook perplexity",
      value: perplexity.y.toFixed(1),
      detail: groups.length > 1 ? `${groups.map(short).join(" + ")}, last validation` : "last validation",
    },
    ...runTiles(metrics),
  ].filter((tile) => tile !== undefined);
}

/** @param codebooks the lines of `codebooks.jsonl` */
export function pretrainCharts(metrics: Rows, codebooks: Rows): Chart[] {
  const chance = chanceLoss(metrics);
  return [
    {
      title: "Contrastive loss (nats)",
      from: "lowest",
      format: "short",
      series: [
        series(metrics, "contrastive_loss", "training", 1),
        series(metrics, "eval/contrastive_loss", "validation", 2),
      ],
      reference: chance === undefined ? undefined : { name: "chance", value: chance },
    },
    {
      title: "Accuracy: targets found",
      format: "percent",
      series: [series(metrics, "accuracy", "training", 1), series(metrics, "eval/accuracy", "validation", 2)],
      reference: chance === undefined ? undefined : { name: "chance", value: Math.exp(-chance) },
    },
    perplexityChart(metrics, "Perplexity in training", ""),
    perplexityChart(metrics, "Perplexity in validation", "eval/"),
    entriesChart(codebooks),
    {
      title: "Diversity loss",
      format: "short",
      series: [
        series(metrics, "diversity_loss", "training", 1),
        series(metrics, "eval/diversity_loss", "validation", 2),
      ],
    },
    {
      title: "Cosine similarity",
      format: "short",
      series: [
        series(metrics, "positive_similarity", "targets", 1),
        series(metrics, "negative_similarity", "distractors", 2),
        series(metrics, "eval/positive_similarity", "targets, validation", 3),
        series(metrics, "eval/negative_similarity", "distractors, validation", 4),
      ],
    },
    {
      title: "Feature penalty",
      scale: "log",
      format: "short",
      series: [series(metrics, "feature_penalty", "penalty", 1)],
    },
    {
      title: "Temperature of the Gumbel softmax",
      format: "short",
      planned: true,
      series: [series(metrics, "gumbel_temperature", "temperature", 1)],
    },
    learningRateChart(metrics),
    gradientNormChart(metrics, HEALTHY_NORMS),
    speedChart(metrics),
  ];
}

/** The lines whose loss and accuracy say something: not those of collapsed codebooks. */
export function healthyRows(metrics: Rows, codebooks: Rows): Rows {
  const collapsed = collapse(metrics, codebooks);
  return metrics.filter((row) => !collapsed(row));
}

/** Whether the newest validation was of collapsed codebooks. */
export function endsCollapsed(metrics: Rows, codebooks: Rows): boolean {
  return metrics
    .filter((row) => "eval/codevector_perplexity" in row)
    .slice(-1)
    .some(collapse(metrics, codebooks));
}

/** @returns whether the validation of a line was of collapsed codebooks, whose loss and accuracy say nothing */
function collapse(metrics: Rows, codebooks: Rows): (row: Rows[number]) => boolean {
  const groups = groupsOf(metrics).length;
  const entries = codebookSize(codebooks) ?? Number.POSITIVE_INFINITY;
  return ({ "eval/codevector_perplexity": perplexity }) =>
    typeof perplexity === "number" && isPerplexityOfCollapse(perplexity, groups, entries);
}

/** All codebooks together, and each. */
function perplexityChart(metrics: Rows, title: string, prefix: "" | "eval/"): Chart {
  const name = `${prefix}codevector_perplexity`;
  const groups = groupsOf(metrics).map((group) => ({
    ...series(metrics, `${name}_${group}`, `codebook ${group}`, groupTone(group)),
    part: true,
  }));
  return {
    title,
    format: "short",
    series: [series(metrics, name, groups.length > 0 ? "all" : "perplexity", 1), ...groups],
  };
}

/** The codebooks that are logged, by their numbers. */
function groupsOf(metrics: Rows): number[] {
  const names = new Set<string>();
  for (const row of metrics) for (const name in row) names.add(name);
  const numbers = [...names].flatMap(
    (name) => /^(?:eval\/)?codevector_perplexity_(\d+)$/.exec(name)?.[1] ?? [],
  );
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
}

/** The contrastive loss of guessing, ln(1 + distractors), by what lines say of theirs in relation to it. */
function chanceLoss(metrics: Rows): number | undefined {
  for (const prefix of ["eval/", ""]) {
    for (const row of metrics) {
      const [loss, share] = [row[`${prefix}contrastive_loss`], row[`${prefix}contrastive_loss_to_chance`]];
      if (typeof loss === "number" && typeof share === "number" && loss > 0 && share > 0) return loss / share;
    }
  }
  return undefined;
}
