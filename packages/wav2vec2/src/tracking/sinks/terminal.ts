import { choice, FINITE, FUNCTION, OBJECT, requireArguments } from "../../argument-kinds.js";
import type { KnownOptions } from "../../known-options.js";
import { formatDuration } from "../duration.js";
import type { SystemReading } from "../system/system-reading.js";
import { areOfValidation, type Finding, type Sink } from "../tracker.js";
import { LiveLine, type TerminalStream } from "./live-line.js";
import { every, gpuState, learning, speed, validated } from "./progress-text.js";
import { colorsOf, isLive, printable } from "./terminal-style.js";

/** How much is said: `quiet` only what is wrong, `verbose` all metrics of every logging step in a line of their own. */
export type Verbosity = "quiet" | "normal" | "verbose";

export interface TerminalOptions {
  /** Steps of the whole run; undefined until they are planned. */
  steps?: number | undefined;
  /** The run stops after this time even if steps are left. */
  maxMinutes?: number | undefined;
  /** Default: `normal` */
  verbosity?: Verbosity | undefined;
  stream?: TerminalStream;
  /** Milliseconds; a clock to put in for tests. */
  now?: () => number;
}

export const TERMINAL_OPTIONS = {
  steps: FINITE,
  maxMinutes: FINITE,
  verbosity: choice("quiet", "normal", "verbose"),
  stream: OBJECT,
  now: FUNCTION,
} satisfies KnownOptions<TerminalOptions>;

/** Without a terminal, at most one progress line in this time: a log of a day must stay readable. */
const PLAIN_INTERVAL_MS = 10_000;

/**
 * Progress for people on stderr: one line that is rewritten in place, or plain lines at intervals where stderr
 * is not a terminal. Validations and notes stay on lines of their own. It never rings a bell.
 */
export function terminalProgress(options: TerminalOptions = {}) {
  requireArguments("terminalProgress", { options: [options, OBJECT] });
  const { stream = process.stderr, now = Date.now, verbosity = "normal" } = options;
  const colors = colorsOf(stream);
  const quiet = verbosity === "quiet";
  // Made with the first that is shown in it: until then others have the terminal's last line.
  let live: LiveLine | undefined;
  const makesLive = isLive(stream) && !quiet;
  const latest: Record<string, number> = {};
  const machines = new Map<number, SystemReading>();
  const began = now();
  let steps = options.steps ?? Number.POSITIVE_INFINITY;
  let first: { step: number; time: number } | undefined;
  let newest = 0;
  let lastPlain = Number.NEGATIVE_INFINITY;
  let closed = false;

  const timeLeft = (step: number): string => {
    if (first === undefined || step <= first.step) return "time left: measuring";
    const bySteps = ((now() - first.time) / 1000 / (step - first.step)) * (steps - step);
    const byClock = (options.maxMinutes ?? Number.POSITIVE_INFINITY) * 60 - (now() - began) / 1000;
    return `time left ${formatDuration(Math.min(bySteps, byClock))}`;
  };
  const parts = (step: number): string[] => [
    `step ${step}/${steps}`,
    ...learning(latest),
    ...gpuState([...machines.values()]),
    ...speed(latest),
    timeLeft(step),
  ];
  const show = (): void => {
    if (!makesLive || closed) return;
    live ??= liveLine(stream, colors.dim);
    const now = parts(newest);
    live.show((width) => fitting(now, width));
  };
  const print = (text: string): void => {
    if (live) live.print(text);
    else stream.write(`${text}\n`);
  };

  return {
    planned(count) {
      steps = count;
    },
    log(metrics, step) {
      first ??= { step, time: now() };
      newest = step;
      Object.assign(latest, metrics);
      const validation = areOfValidation(metrics);
      show();
      if (quiet) return;
      if (verbosity === "verbose") {
        print(`step ${step}/${steps}  ${every(metrics).join("  ")}`);
      } else if (validation) {
        print(`step ${step}: validation ${validated(metrics, colors.bold).join(", ")}`);
      } else if (!makesLive && (now() - lastPlain >= PLAIN_INTERVAL_MS || step >= steps)) {
        lastPlain = now();
        print(parts(step).join("  "));
      }
    },
    system(readings) {
      for (const reading of readings) machines.set(reading.rank, reading);
      if (newest > 0) show();
    },
    tell(text) {
      if (!quiet) print(printable(text));
    },
    note(text: string, finding?: Finding) {
      print(finding ? colors.yellow(printable(text)) : printable(text));
    },
    transcripts(samples) {
      // What is still wrong says more than what is right.
      const sample = samples.find(({ reference, hypothesis }) => reference !== hypothesis) ?? samples[0];
      if (sample === undefined || quiet) return;
      const text = `  reference   ${sample.reference}\n  hypothesis  ${sample.hypothesis}`;
      print(colors.dim(printable(text)));
    },
    async close() {
      closed = true;
      live?.close();
      live = undefined;
    },
  } satisfies Sink;
}

/** On stderr, where stdout is the same terminal that one is watched too. */
function liveLine(stream: TerminalStream, paint: (text: string) => string): LiveLine {
  const isOwn = stream === process.stderr && process.stdout.isTTY;
  return new LiveLine(stream, { paint, others: isOwn ? [process.stdout as TerminalStream] : [] });
}

/** The parts in a line; where they are too wide, those before the last go first, the time left being the last. */
function fitting(parts: readonly string[], width: number): string {
  const kept = [...parts];
  while (kept.length > 2 && kept.join("  ").length > width) kept.splice(-2, 1);
  return kept.join("  ");
}
