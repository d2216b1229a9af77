import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OBJECT, PATH, requireArguments } from "../../argument-kinds.js";
import { areOfValidation, type Finding, type Sink } from "../tracker.js";
import { type Clip, clipPath } from "./clip-path.js";
import { PatientFile } from "./patient-file.js";

interface Row {
  step: number;
}

/** Files whose lines are written as training goes, not by validations. */
const WHILE_TRAINING: readonly string[] = ["findings.jsonl", "histograms.jsonl", "system.jsonl"];

const FILES = [
  "metrics.jsonl",
  "transcripts.jsonl",
  "codebooks.jsonl",
  "coded-clips.jsonl",
  "findings.jsonl",
  "histograms.jsonl",
  "system.jsonl",
] as const;

/**
 * Files with one JSON object a line, each with its `step`. Of an earlier run's lines those are kept that a resumed run
 * does not repeat: so one that was killed after its last checkpoint does not leave steps twice, nor what was only found
 * in them. Where nobody says what that is, the first line decides: nothing is kept without `resume`, else the lines of
 * the steps before it.
 */
class StepFiles {
  #started = false;
  readonly #files = new Map<string, PatientFile>();

  constructor(
    readonly directory: string,
    readonly resume: boolean,
  ) {}

  append(name: (typeof FILES)[number], rows: readonly Row[]): void {
    const first = rows[0];
    if (first === undefined) return;
    if (!this.#started) this.keep((row) => row.step < first.step);
    const file = this.#files.get(name) ?? new PatientFile(join(this.directory, name));
    this.#files.set(name, file);
    file.append(linesOf(rows));
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  /** Drops the other lines of an earlier run. @param resumes whether the run goes on from that one */
  keep(isKept: (row: Row, name: (typeof FILES)[number]) => boolean, resumes = this.resume): void {
    this.#started = true;
    this.close(); // what is open would be written beside the files that come now
    mkdirSync(this.directory, { recursive: true });
    for (const name of FILES) {
      const path = join(this.directory, name);
      const rows = resumes ? readStepLines(path).filter((row) => isKept(row, name)) : [];
      if (rows.length === 0) {
        rmSync(path, { force: true });
        continue;
      }
      const temporary = `${path}.${process.pid}.tmp`;
      writeFileSync(temporary, linesOf(rows));
      renameSync(temporary, path);
    }
  }
}

/** Whether a line is of a validation. */
function isOfValidation(row: Row, name: (typeof FILES)[number]): boolean {
  if (name !== "metrics.jsonl") return !WHILE_TRAINING.includes(name);
  return areOfValidation({ ...row });
}

function audioOf(clip: Clip): { audio?: string } {
  return clip.path === undefined ? {} : { audio: clipPath(clip) };
}

function linesOf(rows: readonly Row[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

/**
 * The rows of a file written by {@link metricsFile}, in order; none when there is no file. A last line that a
 * power cut left incomplete is left out.
 */
export function readStepLines(path: string): (Row & Record<string, unknown>)[] {
  return existsSync(path) ? parseStepLines(readFileSync(path, "utf8")).rows : [];
}

/** The rows of a file's text, and how many of its lines are none. A last line without an end is not counted. */
export function parseStepLines(text: string): { rows: (Row & Record<string, unknown>)[]; broken: number } {
  const lines = text.split("\n");
  const rows = lines.flatMap((line) => rowOf(line) ?? []);
  const whole = lines.slice(0, -1).filter((line) => line.trim() !== "").length;
  return { rows, broken: Math.max(0, whole - rows.length) };
}

function rowOf(line: string): (Row & Record<string, unknown>) | undefined {
  try {
    const row: unknown = JSON.parse(line);
    return isRow(row) ? row : undefined;
  } catch {
    return undefined;
  }
}

function isRow(value: unknown): value is Row & Record<string, unknown> {
  return typeof value === "object" && value !== null && "step" in value && typeof value.step === "number";
}

/**
 * Writes into `directory` `metrics.jsonl` (`{step, time, ...metrics}`, time in seconds since 1970), `transcripts.jsonl`
 * (`{step, id, reference, hypothesis, audio}`), `codebooks.jsonl` (`{step, counts}`), `coded-clips.jsonl` (`{step, ...clip, audio}`),
 * `findings.jsonl` (`{step, name, text}`), `histograms.jsonl` (`{step, name, edges, counts}`) and `system.jsonl` (`{step, time, rank, host,
 * ...values}`); a file begins to be with its first line. `audio` is where `clipFiles` puts the clip. A metric that is not
 * finite becomes null, as JSON has no other word for it.
 */
export function metricsFile(directory: string, options: { resume?: boolean | undefined } = {}) {
  requireArguments("metricsFile", { directory: [directory, PATH], options: [options, OBJECT] });
  const { resume = false } = options;
  const files = new StepFiles(directory, resume);
  return {
    log(metrics, step) {
      files.append("metrics.jsonl", [{ step, time: Date.now() / 1000, ...metrics } as Row]);
    },
    resumed({ step, evaluated }) {
      files.keep((row, name) => row.step <= (isOfValidation(row, name) ? evaluated : step), true);
    },
    note(text: string, finding?: Finding) {
      if (finding) files.append("findings.jsonl", [{ ...finding, text } as Row]);
    },
    transcripts(samples, step) {
      files.append(
        "transcripts.jsonl",
        samples.map(({ id, reference, hypothesis, ...clip }) => ({
          step,
          id,
          reference,
          hypothesis,
          ...audioOf({ id, ...clip }),
        })),
      );
    },
    codebooks(counts, step) {
      files.append("codebooks.jsonl", [{ step, counts } as Row]);
    },
    codedClips(clips, step) {
      files.append(
        "coded-clips.jsonl",
        clips.map(({ path, start, end, ...clip }) => ({
          step,
          ...clip,
          ...audioOf({ id: clip.id, path, start, end }),
        })),
      );
    },
    histograms(histograms, step) {
      files.append(
        "histograms.jsonl",
        Object.entries(histograms).map(([name, histogram]) => ({ step, name, ...histogram })),
      );
    },
    system(readings, step) {
      files.append(
        "system.jsonl",
        readings.map(({ time, rank, host, values }) => ({ step, time: time / 1000, rank, host, ...values })),
      );
    },
    async close() {
      files.close();
    },
  } satisfies Sink;
}
