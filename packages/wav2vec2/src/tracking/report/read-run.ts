import { existsSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { isJsonObject } from "../../files/json-file.js";
import { yaml } from "../../files/yaml.js";
import type { RunDescription } from "../run-description.js";
import { parseStepLines } from "../sinks/metrics-file.js";
import type { RunFile } from "../sinks/run-file.js";
import { trainedTask } from "../trained-task.js";
import type { Rows } from "./metric-series.js";
import { isPretraining } from "./sections/pretrain-sections.js";

/** What lies in a run directory, whatever of it is there: earlier versions wrote less, a killed process leaves torn files. */
export interface RunData {
  directory: string;
  name: string;
  /** Unknown of a run that has neither a recipe nor metrics. */
  task: RunDescription["task"] | undefined;
  /** As it was written. */
  recipeText: string;
  /** Its keys and values; nothing where it cannot be read. */
  recipe: Readonly<Record<string, unknown>>;
  /** `run.json` */
  run: Partial<RunFile>;
  metrics: Rows;
  codebooks: Rows;
  codedClips: Rows;
  transcripts: Rows;
  findings: Rows;
  system: Rows;
  histograms: Rows;
  /** Sentences about files with lines that cannot be read; a last one that is not complete is none of them. */
  broken: readonly string[];
}

/** Reads a run directory. A file that is missing or torn counts as far as it can be read. */
export function readRun(directory: string): RunData {
  const text = (name: string): string => {
    const path = join(directory, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const broken: string[] = [];
  const rows = (name: string): Rows => {
    const file = parseStepLines(text(name));
    if (file.broken > 0) broken.push(`${name}: ${linesText(file.broken)} of it cannot be read.`);
    return file.rows;
  };
  const recipeText = text("recipe.yaml");
  const recipe = recordOf(() => yaml.parse(recipeText));
  const run = recordOf(() => JSON.parse(text("run.json"))) as Partial<RunFile>;
  const metrics = rows("metrics.jsonl");
  return {
    directory,
    name: typeof run.name === "string" ? run.name : basename(resolve(directory)),
    task: trainedTask(run.task) ?? trainedTask(recipe.task) ?? taskOfMetrics(metrics),
    recipeText,
    recipe,
    run,
    metrics,
    codebooks: rows("codebooks.jsonl"),
    codedClips: rows("coded-clips.jsonl"),
    transcripts: rows("transcripts.jsonl"),
    findings: rows("findings.jsonl"),
    system: rows("system.jsonl"),
    histograms: rows("histograms.jsonl"),
    broken,
  };
}

function linesText(lines: number): string {
  return lines === 1 ? "1 line" : `${lines} lines`;
}

function recordOf(read: () => unknown): Record<string, unknown> {
  try {
    const value = read();
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

function taskOfMetrics(metrics: Rows): RunData["task"] {
  if (metrics.length === 0) return undefined;
  return isPretraining(metrics) ? "pretrain" : "finetune";
}
