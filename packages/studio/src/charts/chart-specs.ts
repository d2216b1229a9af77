import { percent, short } from "../format.js";
import type { MetricInfo, RunOverview } from "../shared.js";

/** A metric in a chart. */
export interface CurveSpec {
  metric: string;
  label: string;
  /** Its colour: 1 to 8. */
  tone: number;
}

/** A chart of some metrics of a run. */
export interface ChartSpec {
  title: string;
  table: "metrics" | "system";
  curves: CurveSpec[];
  log?: boolean;
  /** Whether the axis begins at zero. */
  zero?: boolean;
  format: (value: number) => string;
  /** A value to compare with, as a dashed line. */
  reference?: { name: string; value: number } | undefined;
  /** The values that are right, as a shaded band. */
  band?: { name: string; from: number; to: number };
}

/** Gradient norms of pre-training that goes well, as Hugging Face's script advises (examples/pytorch/speech-pretraining). */
const HEALTHY_NORMS = { name: "usual: 0.5 to 2", from: 0.5, to: 2 };

type Metrics = RunOverview["metrics"];

/** Charts of all that a run logs: those that tell most first, then whatever else there is. */
export function chartsOf(metrics: Metrics, codebookEntries?: number): ChartSpec[] {
  const isPretraining = "contrastive_loss" in metrics || "eval/contrastive_loss" in metrics;
  const isClassification = "eval/macro_f1" in metrics || "eval/eer" in metrics;
  const headCharts = isClassification ? classificationCharts() : finetuningCharts();
  const known = isPretraining ? pretrainingCharts(metrics, codebookEntries) : headCharts;
  const charts = [...known, ...commonCharts(isPretraining)]
    .map((chart) => ({ ...chart, curves: chart.curves.filter(({ metric }) => metric in metrics) }))
    .filter(({ curves }) => curves.length > 0);
  const drawn = new Set(charts.flatMap(({ curves }) => curves.map(({ metric }) => metric)));
  const rest = Object.keys(metrics).filter((metric) => !drawn.has(metric) && metric !== "audio_seconds");
  const names = new Set(rest.map((metric) => metric.replace(/^eval\//, "")));
  const others = [...names].map((name): ChartSpec => {
    const both = [name, `eval/${name}`].filter((metric) => rest.includes(metric));
    return {
      title: titleOf(name),
      table: "metrics",
      format: short,
      curves: both.map((metric) => ({
        metric,
        label: metric.startsWith("eval/") ? "validation" : "training",
        tone: metric.startsWith("eval/") ? 2 : 1,
      })),
    };
  });
  return [...charts, ...others];
}

/** `gumbel_temperature` as people write it. */
function titleOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function trainingAndValidation(name: string): CurveSpec[] {
  return [
    { metric: name, label: "training", tone: 1 },
    { metric: `eval/${name}`, label: "validation", tone: 2 },
  ];
}

function finetuningCharts(): ChartSpec[] {
  return [
    {
      title: "Training loss",
      table: "metrics",
      log: true,
      format: short,
      curves: [{ metric: "loss", label: "CTC loss", tone: 1 }],
    },
    {
      title: "Error rates in validation",
      table: "metrics",
      zero: true,
      format: percent,
      curves: [
        { metric: "eval/wer", label: "WER", tone: 1 },
        { metric: "eval/cer", label: "CER", tone: 2 },
      ],
    },
    {
      title: "CTC loss in validation",
      table: "metrics",
      log: true,
      format: short,
      curves: [{ metric: "eval/ctc_loss", label: "CTC loss", tone: 1 }],
    },
    {
      title: "Share of blanks in validation",
      table: "metrics",
      zero: true,
      format: percent,
      curves: [{ metric: "eval/blank_share", label: "blanks", tone: 1 }],
    },
  ];
}

function classificationCharts(): ChartSpec[] {
  return [
    {
      title: "Training loss",
      table: "metrics",
      log: true,
      format: short,
      curves: [{ metric: "loss", label: "loss", tone: 1 }],
    },
    {
      title: "Labels found in validation",
      table: "metrics",
      zero: true,
      format: percent,
      curves: [
        { metric: "eval/accuracy", label: "accuracy", tone: 1 },
        { metric: "eval/macro_f1", label: "macro F1", tone: 2 },
      ],
    },
    {
      title: "Equal error rate in validation",
      table: "metrics",
      zero: true,
      format: percent,
      curves: [{ metric: "eval/eer", label: "equal error rate", tone: 1 }],
    },
  ];
}

function pretrainingCharts(metrics: Metrics, codebookEntries?: number): ChartSpec[] {
  const chance = chanceLoss(metrics);
  return [
    {
      title: "Contrastive loss (nats)",
      table: "metrics",
      format: short,
      curves: trainingAndValidation("contrastive_loss"),
      reference: chance === undefined ? undefined : { name: "chance", value: chance },
    },
    {
      title: "Accuracy: targets found",
      table: "metrics",
      zero: true,
      format: percent,
      curves: trainingAndValidation("accuracy"),
      reference: chance === undefined ? undefined : { name: "chance", value: Math.exp(-chance) },
    },
    perplexityChart(metrics, "Perplexity in training", "", codebookEntries),
    perplexityChart(metrics, "Perplexity in validation", "eval/", codebookEntries),
    {
      title: "Cosine similarity",
      table: "metrics",
      format: short,
      curves: [
        { metric: "positive_similarity", label: "targets", tone: 1 },
        { metric: "negative_similarity", label: "distractors", tone: 2 },
        { metric: "eval/positive_similarity", label: "targets, validation", tone: 3 },
        { metric: "eval/negative_similarity", label: "distractors, validation", tone: 4 },
      ],
    },
    {
      title: "Diversity loss",
      table: "metrics",
      format: short,
      curves: trainingAndValidation("diversity_loss"),
    },
    {
      title: "Loss as a share of chance",
      table: "metrics",
      format: percent,
      curves: trainingAndValidation("contrastive_loss_to_chance"),
    },
  ];
}

function commonCharts(isPretraining: boolean): ChartSpec[] {
  return [
    {
      title: "Learning rate",
      table: "metrics",
      zero: true,
      format: short,
      curves: [{ metric: "learning_rate", label: "learning rate", tone: 1 }],
    },
    {
      title: "Gradient norm",
      table: "metrics",
      log: true,
      format: short,
      curves: [{ metric: "grad_norm", label: "norm before clipping", tone: 1 }],
      ...(isPretraining && { band: HEALTHY_NORMS }),
    },
    {
      title: "Speed: seconds of audio a second",
      table: "metrics",
      zero: true,
      format: short,
      curves: [{ metric: "audio_seconds_per_second", label: "speed", tone: 1 }],
    },
    {
      title: "Waiting for audio",
      table: "metrics",
      zero: true,
      format: percent,
      curves: [{ metric: "data_wait_share", label: "share of the time", tone: 1 }],
    },
    {
      title: "Memory of the process (MB)",
      table: "metrics",
      zero: true,
      format: short,
      curves: [{ metric: "memory_mb", label: "memory", tone: 1 }],
    },
  ];
}

/** All codebooks together, and each. */
function perplexityChart(metrics: Metrics, title: string, prefix: "" | "eval/", entries?: number): ChartSpec {
  const name = `${prefix}codevector_perplexity`;
  const groups = groupsOf(metrics);
  return {
    title,
    table: "metrics",
    format: short,
    curves: [
      { metric: name, label: groups.length > 0 ? "all" : "perplexity", tone: 1 },
      ...groups.map((group) => ({
        metric: `${name}_${group}`,
        label: `codebook ${group}`,
        tone: (group % 7) + 2,
      })),
    ],
    reference:
      entries === undefined
        ? undefined
        : { name: "all entries alike", value: entries * Math.max(1, groups.length) },
  };
}

/** The codebooks that are logged, by their numbers. */
function groupsOf(metrics: Metrics): number[] {
  const numbers = Object.keys(metrics).flatMap(
    (name) => /^(?:eval\/)?codevector_perplexity_(\d+)$/.exec(name)?.[1] ?? [],
  );
  return [...new Set(numbers.map(Number))].sort((a, b) => a - b);
}

/** The contrastive loss of guessing, ln(1 + distractors), by what the newest lines say of theirs in relation to it. */
export function chanceLoss(metrics: Metrics): number | undefined {
  for (const prefix of ["eval/", ""]) {
    const loss = metrics[`${prefix}contrastive_loss`]?.latest;
    const share = metrics[`${prefix}contrastive_loss_to_chance`]?.latest;
    if (loss !== undefined && share !== undefined && loss > 0 && share > 0) return loss / share;
  }
  return undefined;
}

/** Titles of the machines' values (docs/tracking.md); what a name has in brackets tells curves of one chart apart. */
const SYSTEM_TITLES: readonly [RegExp, string][] = [
  [/^gpu\.(\d+)\.gpu$/, "GPU in use (%)"],
  [/^gpu\.(\d+)\.memoryAllocated$/, "GPU memory taken (%)"],
  [/^gpu\.(\d+)\.memoryAllocatedBytes$/, "GPU memory taken (bytes)"],
  [/^gpu\.(\d+)\.memory$/, "GPU memory in use (% of the time)"],
  [/^gpu\.(\d+)\.temp$/, "GPU temperature (°C)"],
  [/^gpu\.(\d+)\.powerWatts$/, "GPU power (W)"],
  [/^gpu\.(\d+)\.powerPercent$/, "GPU power (% of its limit)"],
  [/^gpu\.(\d+)\.enforcedPowerLimitWatts$/, "GPU power limit (W)"],
  [/^gpu\.(\d+)\.smClock$/, "GPU clock (MHz)"],
  [/^gpu\.(\d+)\.memoryClock$/, "GPU memory clock (MHz)"],
  [/^gpu\.(\d+)\.fanSpeed$/, "GPU fan (%)"],
  [/^gpu\.(\d+)\.throttledBy(?:Heat|PowerBrake)$/, "GPU slowed by heat or a power brake (1: yes)"],
  [/^gpu\.(\d+)\.throttledByPowerCap$/, "GPU at its power limit (1: yes)"],
  [/^cpu$/, "Processors: this process (%)"],
  [/^cpu\.machine$/, "Processors: all programs (%)"],
  [/^memory_percent$/, "Memory in use (%)"],
  [/^proc\.memory\.availableMB$/, "Memory left (MB)"],
  [/^proc\.memory\.rssMB$/, "Memory of the process (MB)"],
  [/^proc\.memory\.percent$/, "Memory of the process (%)"],
  [/^proc\.cpu\.threads$/, "Threads of the process"],
  [/^swap\.usedMB$/, "Swapped out (MB)"],
  [/^swap\.(in|out)MB$/, "Swapping since the start (MB)"],
  [/^network\.(sent|recv)$/, "Network since the start (bytes)"],
  [/^disk\.(in|out)$/, "Disks since the start (MB)"],
  [/^disk\.(.+)\.usagePercent$/, "Disk full (%)"],
  [/^disk\.(.+)\.usageGB$/, "Disk in use (GB)"],
  [/^disk\.(.+)\.freeGB$/, "Disk left (GB)"],
  [/^run\.modelsGB$/, "Checkpoints and models (GB)"],
];

/** Charts of the machines: a chart for each kind of value, in which every GPU, disk and process has its curve. */
export function systemCharts(system: Record<string, MetricInfo>): ChartSpec[] {
  const charts = new Map<string, ChartSpec>();
  const order = (title: string): number => {
    const place = SYSTEM_TITLES.findIndex(([, known]) => known === title);
    return place < 0 ? SYSTEM_TITLES.length : place;
  };
  for (const metric of Object.keys(system).sort()) {
    const [, name = metric, rank] = /^(.*?)(?: rank (\d+))?$/.exec(metric) ?? [];
    const [pattern, title = name] = SYSTEM_TITLES.find(([one]) => one.test(name)) ?? [];
    const part = pattern?.exec(name)?.[1];
    const chart: ChartSpec = charts.get(title) ?? {
      title,
      table: "system",
      zero: true,
      format: short,
      curves: [],
    };
    charts.set(title, chart);
    const isAlone = !Object.keys(system).some((other) => other.startsWith(`${name} rank `));
    const label = [
      part === undefined ? "" : name.startsWith("gpu.") ? `GPU ${part}` : part,
      isAlone ? "" : `process ${rank ?? 0}`,
    ].filter(Boolean);
    chart.curves.push({
      metric,
      label: label.join(", ") || "machine",
      tone: (chart.curves.length % 8) + 1,
    });
  }
  return [...charts.values()].sort((a, b) => order(a.title) - order(b.title));
}

/** A chart for each metric of some charts, in which several runs are told apart. */
export function oneMetricEach(charts: readonly ChartSpec[]): ChartSpec[] {
  return charts.flatMap(({ title, curves, ...chart }) =>
    curves.map((curve) => ({
      ...chart,
      title: curves.length > 1 ? `${title}: ${curve.label}` : title,
      curves: [curve],
    })),
  );
}
