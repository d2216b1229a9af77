import { stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isLocked } from "../../files/atomic/lock-file.js";
import type { RunFile } from "../../tracking/sinks/run-file.js";
import { trainedTask } from "../../tracking/trained-task.js";
import { parseLine } from "./growing-file.js";
import type { RunState, RunSummary } from "./protocol.js";
import type { RunsRoot } from "./runs-root.js";

/** So much of the end of `metrics.jsonl` is looked at for the newest values. */
const TAIL_BYTES = 1 << 16;
/** A run without a lock, as programs of earlier versions write, runs while its newest line is no older than this. */
const FRESH_MS = 120_000;

/** What of a run directory is in its summary, and when it was written. */
const FILES = ["metrics.jsonl", "run.json", "run.lock", "recipe.yaml", "findings.jsonl", "log.txt"] as const;

type Status = { mtimeMs: number; size: number } | undefined;

/** Times and sizes of a run's files: while they stay, so does its summary. */
export interface RunFiles {
  status: Record<(typeof FILES)[number], Status>;
  /** Changes when any of them does. */
  mark: string;
}

/** undefined where the directory holds nothing of a run. */
export async function filesOf(directory: string): Promise<RunFiles | undefined> {
  const all = await Promise.all(
    FILES.map(async (name) => {
      const status: Status = await stat(join(directory, name)).catch(() => undefined);
      return [name, status] as const;
    }),
  );
  const status = Object.fromEntries(all) as RunFiles["status"];
  if (status["recipe.yaml"] === undefined && status["metrics.jsonl"] === undefined) return undefined;
  return { status, mark: all.map(([, one]) => `${one?.mtimeMs}:${one?.size}`).join() };
}

/** `run.json` of a run, undefined where there is none or it cannot be read. */
export async function runFileOf(root: RunsRoot, id: string): Promise<Partial<RunFile> | undefined> {
  const text = await root.text(join(id, "run.json"));
  return text === undefined ? undefined : (parseLine(Buffer.from(text)) as Partial<RunFile> | undefined);
}

/** What the list of runs says of one. */
export async function summarize(root: RunsRoot, id: string, { status }: RunFiles): Promise<RunSummary> {
  const read = (name: keyof typeof status) => (status[name] ? root.text(join(id, name)) : undefined);
  const [file, newest, findings] = await Promise.all([
    status["run.json"] && runFileOf(root, id),
    newestValues(root, join(id, "metrics.jsonl")),
    read("findings.jsonl"),
  ]);
  const knows = file?.task !== undefined && file.steps !== undefined;
  const recipe = knows ? "" : ((await read("recipe.yaml")) ?? "");
  const task = file?.task ?? /^task: *(\w+)/m.exec(recipe)?.[1];
  const steps = file?.steps ?? Number(/^max_steps: *(\d+)/m.exec(recipe)?.[1] ?? Number.NaN);
  const updated = Math.max(
    status["metrics.jsonl"]?.mtimeMs ?? 0,
    status["log.txt"]?.mtimeMs ?? 0,
    status["recipe.yaml"]?.mtimeMs ?? 0,
  );
  const known = trainedTask(task) ?? taskOf(newest);
  return {
    id,
    name: (typeof file?.name === "string" && file.name) || basename(join(root.path, id)),
    state: await stateOf(join(root.path, id), file?.state, updated, newest.step ?? 0, steps),
    ...(known && { task: known }),
    ...numbers({
      step: newest.step,
      steps,
      loss: newest.contrastive_loss ?? newest.loss,
      wer: newest["eval/wer"],
      accuracy: newest["eval/accuracy"],
    }),
    updated,
    findings: findings?.split("\n").filter((line) => parseLine(Buffer.from(line))).length ?? 0,
  };
}

/** `running` stays in `run.json` where a process was killed, and older runs say nothing: then the lock tells. */
async function stateOf(
  directory: string,
  said: RunFile["state"] | undefined,
  updated: number,
  step: number,
  steps: number,
): Promise<RunState> {
  if (said === "finished" || said === "interrupted" || said === "failed") return said;
  if (await isLocked(join(directory, "run.lock"))) return "running";
  if (said === "running") return "stopped";
  if (step >= steps || (await stat(join(directory, "final")).catch(() => undefined))) return "finished";
  return Date.now() - updated < FRESH_MS ? "running" : "stopped";
}

function taskOf(newest: Readonly<Record<string, number>>): RunSummary["task"] {
  if ("contrastive_loss" in newest) return "pretrain";
  return "loss" in newest ? "finetune" : undefined;
}

function numbers<Name extends string>(
  values: Record<Name, number | undefined>,
): Partial<Record<Name, number>> {
  const finite = Object.entries<number | undefined>(values).filter(([, value]) => Number.isFinite(value));
  return Object.fromEntries(finite) as Partial<Record<Name, number>>;
}

/** The newest value of each metric in the last lines, as far back as the list needs them. */
async function newestValues(root: RunsRoot, path: string): Promise<Record<string, number>> {
  await using file = await root.open(path);
  if (file === undefined) return {};
  const { size } = await file.stat();
  const from = Math.max(0, size - TAIL_BYTES);
  const bytes = Buffer.alloc(size - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  const lines = bytes.toString("utf8", 0, bytesRead).split("\n");
  const newest: Record<string, number> = {};
  const has = (...names: string[]) => names.some((name) => name in newest);
  for (const line of lines.reverse()) {
    const needsTraining = !has("loss", "contrastive_loss");
    const needsValidation = !has("eval/wer", "eval/accuracy");
    if (!needsTraining && !needsValidation) break;
    if (!needsTraining && !line.includes('"eval/')) continue; // quicker than to parse it
    for (const [name, value] of Object.entries(parseLine(Buffer.from(line)) ?? {}))
      if (typeof value === "number" && !(name in newest)) newest[name] = value;
  }
  return newest;
}
