import type { SystemReading } from "../system/system-reading.js";

type Metrics = Readonly<Record<string, number>>;

/** What the progress line tells of the learning. */
export function learning(latest: Metrics): string[] {
  if (latest.contrastive_loss === undefined)
    return given(
      show(latest, "loss", (value) => `loss ${value.toPrecision(3)}`),
      show(latest, "eval/wer", (value) => `WER ${percent(value)}`),
      show(latest, "eval/accuracy", (value) => `accuracy ${percent(value)}`),
      show(latest, "eval/eer", (value) => `EER ${percent(value)}`),
    );
  return given(
    show(latest, "contrastive_loss", (value) => `contrastive loss ${value.toPrecision(3)}`),
    show(latest, "accuracy", (value) => `accuracy ${percent(value)}`),
    show(latest, "codevector_perplexity", (value) => `perplexity ${value.toFixed(1)}`),
  );
}

/** How fast it is. */
export function speed(latest: Metrics): string[] {
  return given(show(latest, "audio_seconds_per_second", (value) => `${value.toPrecision(3)} s of audio/s`));
}

/** "GPU 97 % 62.1 GB", of several the mean and the fullest. @param readings the newest of each process */
export function gpuState(readings: readonly SystemReading[]): string[] {
  const gpus = readings.flatMap(({ values }) =>
    Object.entries(values).flatMap(([name, busy]) => {
      const prefix = /^gpu\.\d+\.(?=gpu$)/.exec(name)?.[0];
      return prefix === undefined
        ? []
        : [{ busy, bytes: values[`${prefix}memoryAllocatedBytes`] ?? Number.NaN }];
    }),
  );
  if (gpus.length === 0) return [];
  const busy = gpus.reduce((sum, gpu) => sum + gpu.busy, 0) / gpus.length;
  const fullest = Math.max(...gpus.map(({ bytes }) => bytes));
  const memory = Number.isNaN(fullest) ? "" : ` ${(fullest / 2 ** 30).toFixed(1)} GB`;
  return [`${gpus.length > 1 ? `${gpus.length} GPUs` : "GPU"} ${Math.round(busy)} %${memory}`];
}

/** What the line of a validation tells. @param strong marks the value that matters most */
export function validated(metrics: Metrics, strong: (text: string) => string): string[] {
  const chance = show(
    metrics,
    "eval/contrastive_loss_to_chance",
    (value) => ` (${Math.round(value * 100)} % of chance)`,
  );
  return given(
    show(
      metrics,
      "eval/contrastive_loss",
      (value) => `contrastive loss ${strong(value.toPrecision(3))}${chance ?? ""}`,
    ),
    show(metrics, "eval/accuracy", (value) => `accuracy ${percent(value)}`),
    show(metrics, "eval/macro_f1", (value) => `macro F1 ${percent(value)}`),
    show(metrics, "eval/eer", (value) => `EER ${strong(percent(value))}`),
    show(metrics, "eval/min_dcf", (value) => `minDCF ${value.toFixed(3)}`),
    show(metrics, "eval/codevector_perplexity", (value) => `perplexity ${value.toFixed(1)}`),
    show(metrics, "eval/wer", (value) => `WER ${strong(percent(value))}`),
    editCounts(metrics),
    show(metrics, "eval/cer", (value) => `CER ${percent(value)}`),
    show(metrics, "eval/blank_share", (value) => `blanks ${percent(value)}`),
    show(metrics, "eval/confidence", (value) => `confidence ${percent(value)}`),
    show(metrics, "eval/ctc_loss", (value) => `CTC loss ${value.toPrecision(3)}`),
  );
}

/** All of them, by their names. */
export function every(metrics: Metrics): string[] {
  return Object.entries(metrics).map(([name, value]) => `${name} ${Number(value.toPrecision(5))}`);
}

/** Words substituted, deleted and inserted. */
function editCounts(metrics: Metrics): string | undefined {
  const counts = ["substitutions", "deletions", "insertions"].map((name) => metrics[`eval/${name}`]);
  return counts.includes(undefined) ? undefined : `S/D/I ${counts.join("/")}`;
}

function show(metrics: Metrics, name: string, format: (value: number) => string): string | undefined {
  const value = metrics[name];
  return value === undefined ? undefined : format(value);
}

function given(...parts: (string | undefined)[]): string[] {
  return parts.filter((part) => part !== undefined);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
