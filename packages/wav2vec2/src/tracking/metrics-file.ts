import { appendFileSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Tracker } from "./tracker.js";

interface Row {
  step: number;
}

/**
 * A file with one JSON object a line, each with its `step`. The first line written decides what is kept of an
 * earlier run's file: nothing without `resume`, else the lines of the steps before it. So a run that was killed
 * after its last checkpoint does not leave the steps that it repeats twice.
 */
class StepLines {
  #started = false;

  constructor(
    readonly path: string,
    readonly resume: boolean,
  ) {}

  append(rows: readonly Row[]): void {
    const first = rows[0];
    if (first === undefined) return;
    if (!this.#started) this.#keepBefore(first.step);
    this.#started = true;
    appendFileSync(this.path, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  }

  #keepBefore(step: number): void {
    mkdirSync(dirname(this.path), { recursive: true });
    const kept = this.resume ? readStepLines(this.path).filter((row) => row.step < step) : [];
    const temporary = `${this.path}.${process.pid}.tmp`;
    writeFileSync(temporary, kept.map((row) => `${JSON.stringify(row)}\n`).join(""));
    renameSync(temporary, this.path);
  }
}

/**
 * The rows of a file written by {@link metricsFile}, in order; none when there is no file. A last line that a
 * power cut left incomplete is left out.
 */
export function readStepLines(path: string): (Row & Record<string, unknown>)[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        const row: unknown = JSON.parse(line);
        return isRow(row) ? [row] : [];
      } catch {
        return [];
      }
    });
}

function isRow(value: unknown): value is Row & Record<string, unknown> {
  return typeof value === "object" && value !== null && "step" in value && typeof value.step === "number";
}

/**
 * Writes into `directory` `metrics.jsonl` (`{step, time, ...metrics}`, time in seconds since 1970), `transcripts.jsonl`
 * (`{step, id, reference, hypothesis}`), `codebooks.jsonl` (`{step, counts}`) and `coded-clips.jsonl` (`{step, ...clip}`);
 * a file begins to be with its first line. A metric that is not finite becomes null, as JSON has no other word for it.
 */
export function metricsFile(directory: string, options: { resume: boolean }): Tracker {
  const lines = (name: string) => new StepLines(join(directory, name), options.resume);
  const metricLines = lines("metrics.jsonl");
  const transcriptLines = lines("transcripts.jsonl");
  const codebookLines = lines("codebooks.jsonl");
  const clipLines = lines("coded-clips.jsonl");
  return {
    log(metrics, step) {
      metricLines.append([{ step, time: Date.now() / 1000, ...metrics } as Row]);
    },
    note() {},
    transcripts(samples, step) {
      transcriptLines.append(samples.map((sample) => ({ step, ...sample })));
    },
    codebooks(counts, step) {
      codebookLines.append([{ step, counts } as Row]);
    },
    codedClips(clips, step) {
      clipLines.append(clips.map((clip) => ({ step, ...clip })));
    },
    async close() {},
  };
}
