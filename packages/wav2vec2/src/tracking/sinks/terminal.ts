import { createColors } from "picocolors";
import { formatDuration } from "../duration.js";
import type { Sink } from "../tracker.js";

/** The part of a stream that the progress line needs; `process.stderr` is one. */
export interface TerminalStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface TerminalOptions {
  /** Steps of the whole run; undefined until they are planned. */
  steps: number | undefined;
  /** The run stops after this time even if steps are left. */
  maxMinutes?: number | undefined;
  stream?: TerminalStream;
  /** Milliseconds; a clock to put in for tests. */
  now?: () => number;
}

/** Without a terminal, at most one progress line in this time: a log of a day must stay readable. */
const PLAIN_INTERVAL_MS = 10_000;

/**
 * Progress for people on stderr: one line that is rewritten in place, or plain lines at intervals where stderr
 * is not a terminal. Validations and notes stay on lines of their own.
 */
export function terminalProgress(options: TerminalOptions) {
  const { stream = process.stderr, now = Date.now } = options;
  const live = stream.isTTY === true;
  const colors = createColors(live && !process.env.NO_COLOR);
  const latest: Record<string, number> = {};
  const began = now();
  let steps = options.steps ?? Number.POSITIVE_INFINITY;
  let first: { step: number; time: number } | undefined;
  let lastPlain = Number.NEGATIVE_INFINITY;
  let line = "";

  const timeLeft = (step: number): string => {
    if (first === undefined || step <= first.step) return "time left: measuring";
    const bySteps = ((now() - first.time) / 1000 / (step - first.step)) * (steps - step);
    const byClock = (options.maxMinutes ?? Number.POSITIVE_INFINITY) * 60 - (now() - began) / 1000;
    return `time left ${formatDuration(Math.min(bySteps, byClock))}`;
  };
  const clear = (): void => {
    if (live && line !== "") stream.write("\r\x1b[2K");
  };
  const draw = (): void => {
    // A line longer than the terminal would wrap, and the next \r would only return to its last row.
    if (live && line !== "") stream.write(colors.dim(line.slice(0, (stream.columns ?? 80) - 1)));
  };
  const print = (text: string): void => {
    clear();
    stream.write(`${text}\n`);
    draw();
  };

  return {
    planned(count) {
      steps = count;
    },
    log(metrics, step) {
      first ??= { step, time: now() };
      Object.assign(latest, metrics);
      const validation = Object.keys(metrics).some((name) => name.startsWith("eval/"));
      const parts = [
        `step ${step}/${steps}`,
        ...learning(latest),
        show(latest, "audio_seconds_per_second", (value) => `${value.toPrecision(3)} s of audio/s`),
        timeLeft(step),
      ].filter((part) => part !== undefined);
      clear();
      line = fitting(parts, live ? (stream.columns ?? 80) - 1 : Number.POSITIVE_INFINITY);
      draw();
      if (validation) {
        const values = validated(metrics, colors.bold).filter((part) => part !== undefined);
        print(`step ${step}: validation ${values.join(", ")}`);
      } else if (!live && (now() - lastPlain >= PLAIN_INTERVAL_MS || step >= steps)) {
        lastPlain = now();
        print(line);
      }
    },
    note: print,
    transcripts(samples) {
      const [sample] = samples;
      if (sample === undefined) return;
      print(colors.dim(`  reference   ${sample.reference}\n  hypothesis  ${sample.hypothesis}`));
    },
    async close() {
      if (live && line !== "") stream.write("\n");
      line = "";
    },
  } satisfies Sink;
}

/** What the progress line tells of the learning. */
function learning(latest: Readonly<Record<string, number>>): (string | undefined)[] {
  if (latest.contrastive_loss === undefined)
    return [
      show(latest, "loss", (value) => `loss ${value.toPrecision(3)}`),
      show(latest, "eval/wer", (value) => `WER ${percent(value)}`),
    ];
  return [
    show(latest, "contrastive_loss", (value) => `contrastive loss ${value.toPrecision(3)}`),
    show(latest, "accuracy", (value) => `accuracy ${percent(value)}`),
    show(latest, "codevector_perplexity", (value) => `perplexity ${value.toFixed(1)}`),
  ];
}

/** What the line of a validation tells. @param strong marks the value that matters most */
function validated(
  metrics: Readonly<Record<string, number>>,
  strong: (text: string) => string,
): (string | undefined)[] {
  const chance = show(
    metrics,
    "eval/contrastive_loss_to_chance",
    (value) => ` (${Math.round(value * 100)} % of chance)`,
  );
  return [
    show(
      metrics,
      "eval/contrastive_loss",
      (value) => `contrastive loss ${strong(value.toPrecision(3))}${chance ?? ""}`,
    ),
    show(metrics, "eval/accuracy", (value) => `accuracy ${percent(value)}`),
    show(metrics, "eval/codevector_perplexity", (value) => `perplexity ${value.toFixed(1)}`),
    show(metrics, "eval/wer", (value) => `WER ${strong(percent(value))}`),
    editCounts(metrics),
    show(metrics, "eval/cer", (value) => `CER ${percent(value)}`),
    show(metrics, "eval/blank_share", (value) => `blanks ${percent(value)}`),
    show(metrics, "eval/confidence", (value) => `confidence ${percent(value)}`),
    show(metrics, "eval/ctc_loss", (value) => `CTC loss ${value.toPrecision(3)}`),
  ];
}

/** Words substituted, deleted and inserted. */
function editCounts(metrics: Readonly<Record<string, number>>): string | undefined {
  const counts = ["substitutions", "deletions", "insertions"].map((name) => metrics[`eval/${name}`]);
  return counts.includes(undefined) ? undefined : `S/D/I ${counts.join("/")}`;
}

/** The parts in a line; where they are too wide, those before the last go first, the time left being the last. */
function fitting(parts: readonly string[], width: number): string {
  const kept = [...parts];
  while (kept.length > 2 && kept.join("  ").length > width) kept.splice(-2, 1);
  return kept.join("  ");
}

function show(
  metrics: Readonly<Record<string, number>>,
  name: string,
  format: (value: number) => string,
): string | undefined {
  const value = metrics[name];
  return value === undefined ? undefined : format(value);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
