import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { loadState, loadTensors, type nn, type optim, setRandomState, type Tensor } from "@wav2vec2/libtorch";
import type { BatchPosition } from "../../data/batches/batches.js";
import { UserError } from "../../errors.js";
import { directoryOf, recoverDirectory } from "../../files/atomic/atomic-directory.js";
import type { MeterState } from "../loop/meter.js";
import { stepsIn } from "./checkpoint-files.js";
import { verifyDirectory } from "./manifest.js";
import { namedMoments, namesOf } from "./named-moments.js";

/** The best validation so far. */
export interface BestValidation {
  step: number;
  /** What it was chosen by. */
  value: number;
  /** Name of that; missing where the validation said it itself. */
  by?: string;
  /** Missing in earlier versions' checkpoints. */
  metrics?: Record<string, number>;
}

/** Everything of a run that its tensors do not hold. Nothing in it depends on the number of processes. */
export interface Progress {
  /** Optimiser steps done. */
  step: number;
  /** The next batch of the data. */
  position: BatchPosition;
  /** What the batches are made of, the task's `data`. */
  data: string;
  /** Seconds of training so far, over all interruptions. */
  seconds: number;
  /** The step of the newest validation. */
  evaluated: number;
  best?: BestValidation;
  /** Validations in a row that were no better than the best before them. */
  stale?: number;
  /** Batches of an update, of all processes; missing in earlier versions' checkpoints. */
  batchesAStep?: number;
  /** What was measured since the last line of metrics. */
  meter?: MeterState;
  /** Of float16's losses. */
  lossScale?: optim.GradScalerState;
  /** In which order several processes sum gradients, so that the sums are rounded as before. */
  reducer?: { order: number[] };
  /** The task's own `state`. */
  task?: unknown;
}

/** What `progress.json` holds besides. */
interface StoredProgress extends Progress {
  /** 2; of earlier versions none: they had no manifest and knew parameters by their place. */
  format?: number;
  /** How often each parameter was updated, by its name. */
  optimizerSteps: Record<string, number> | number[];
  /** The kind of optimiser, its `name`; missing where it is AdamW. */
  optimizer?: string;
}

const FORMAT = 2;

/** Steps of the checkpoints in a run directory, oldest first. */
export function listCheckpoints(runDirectory: string): Promise<number[]> {
  return stepsIn(join(runDirectory, "checkpoints"));
}

export function checkpointPath(runDirectory: string, step: number): string {
  return join(runDirectory, "checkpoints", `step-${step}`);
}

/** Removes what a killed process left half-written in a run directory, and puts back what it was replacing. */
export async function recoverRun(runDirectory: string): Promise<void> {
  for (const parent of [runDirectory, join(runDirectory, "checkpoints")]) {
    for (const name of await readdir(parent).catch(() => [])) {
      const directory = directoryOf(name);
      if (directory) await recoverDirectory(join(parent, directory));
    }
  }
}

/** The text of `progress.json`. */
export function progressText(progress: Progress, module: nn.Module, optimizer: optim.Optimizer): string {
  const names = namesOf(module, optimizer);
  const { steps, name } = optimizer.state();
  const stored: StoredProgress = {
    ...progress,
    format: FORMAT,
    ...(name === "AdamW" ? {} : { optimizer: name }),
    optimizerSteps: Object.fromEntries(steps.map((count, i) => [names[i]!, count])),
  };
  return `${JSON.stringify(stored)}\n`;
}

/** The moments that this process has, by name. */
export function* momentsByName(module: nn.Module, optimizer: optim.Optimizer): Generator<[string, Tensor]> {
  for (const { name, moment } of namedMoments(module, optimizer)) if (moment) yield [name, moment];
}

/**
 * The newest checkpoint of a run that is whole: its files are as their hashes say. Damaged ones that are newer are told
 * and moved aside to `step-N.damaged`.
 *
 * @returns its step; undefined where the run has no checkpoint
 * @throws UserError where all are damaged, naming them and what is wrong
 */
export async function findCheckpoint(
  runDirectory: string,
  onNote: (text: string) => void,
): Promise<number | undefined> {
  const steps = (await listCheckpoints(runDirectory)).reverse();
  const damaged: { step: number; path: string; fault: string }[] = [];
  for (const step of steps) {
    const path = checkpointPath(runDirectory, step);
    const verdict = await verifyDirectory(path);
    const old = !verdict.whole && !verdict.hasManifest && (await isOfEarlierVersion(path));
    if (!verdict.whole && !old) {
      damaged.push({ step, path, fault: verdict.fault });
      continue;
    }
    if (old) onNote(`${path} was written by an earlier version without hashes: it is taken unchecked.`);
    for (const { path: other, fault } of damaged) {
      await rm(`${other}.damaged`, { recursive: true, force: true });
      await rename(other, `${other}.damaged`);
      onNote(
        `${other} is damaged: ${fault}. Training goes on from the checkpoint of step ${step}; the damaged one is now ` +
          `${other}.damaged and can be removed.`,
      );
    }
    return step;
  }
  if (damaged.length === 0) return undefined;
  const faults = damaged.map(({ step, fault }) => `step-${step}: ${fault}`).join("; ");
  throw new UserError(
    `${join(runDirectory, "checkpoints")} must hold a whole checkpoint to go on from, but each is damaged (${faults}). Put ` +
      "one back from a copy, or give another --output.",
  );
}

async function isOfEarlierVersion(path: string): Promise<boolean> {
  try {
    const { format, step } = JSON.parse(
      await readFile(join(path, "progress.json"), "utf8"),
    ) as StoredProgress;
    return format === undefined && typeof step === "number";
  } catch {
    return false;
  }
}

/**
 * Restores a checkpoint of a run: weights, optimiser, random numbers.
 *
 * @param step as {@link findCheckpoint} gives it
 * @param load takes the optimiser's state over
 * @throws UserError when it does not fit the model
 */
export async function loadCheckpoint(
  runDirectory: string,
  step: number,
  module: nn.Module,
  optimizer: optim.Optimizer,
  load = (state: optim.OptimizerState) => optimizer.loadState(state),
): Promise<Progress> {
  const path = checkpointPath(runDirectory, step);
  try {
    const mismatch = await loadState(module, join(path, "model.safetensors"));
    if (mismatch.missing.length + mismatch.unexpected.length + mismatch.misshaped.length > 0) {
      throw new Error("its model has other parameters than the recipe's");
    }
    const {
      optimizerSteps,
      format,
      optimizer: kind = "AdamW",
      ...progress
    } = JSON.parse(await readFile(join(path, "progress.json"), "utf8")) as StoredProgress;
    if (format !== undefined && format !== FORMAT)
      throw new Error(`its format is ${format}, of a newer version`);
    if (kind !== optimizer.name)
      throw new Error(`its optimiser is ${kind}, and the run's is ${optimizer.name}`);
    load(await readOptimizer(join(path, "optimizer.safetensors"), optimizerSteps, module, optimizer));
    await loadRandomStates(join(path, "random.safetensors"), optimizer);
    return progress;
  } catch (error) {
    throw new UserError(
      `${path} must be a checkpoint of this run, but is not: ` +
        `${(error as Error).message.replace(/\.$/, "")}. Remove it to go on from the one before, or give another --output.`,
      { cause: error },
    );
  }
}

async function readOptimizer(
  path: string,
  steps: StoredProgress["optimizerSteps"],
  module: nn.Module,
  optimizer: optim.Optimizer,
): Promise<optim.OptimizerState> {
  const { tensors } = await loadTensors(path);
  const byPlace = Array.isArray(steps);
  const names = namesOf(module, optimizer).map((name, i) => (byPlace ? `${i}` : name));
  const stored = byPlace ? Object.fromEntries(steps.map((count, i) => [i, count])) : steps;
  if (Object.keys(stored).length !== names.length || !names.every((name) => Object.hasOwn(stored, name))) {
    throw new Error("its optimiser has other parameters than the recipe's");
  }
  const moments = optimizer.momentNames.map((kind) => {
    const ofKind = names.map((name) => {
      const moment = tensors.get(`${kind}.${name}`);
      if (!moment && stored[name]! > 0)
        throw new Error(`its optimiser has no ${kind}, which the run's keeps`);
      return moment;
    });
    return [kind, ofKind] as const;
  });
  if (tensors.size > moments.flatMap(([, ofKind]) => ofKind.filter(Boolean)).length)
    throw new Error("its optimiser keeps more of each parameter than the run's");
  return {
    name: optimizer.name,
    steps: names.map((name) => stored[name]!),
    moments: Object.fromEntries(moments),
  };
}

/** Those of the devices that this run uses; on another kind of device the seed alone decides. */
async function loadRandomStates(path: string, optimizer: optim.Optimizer): Promise<void> {
  const { tensors } = await loadTensors(path);
  const cpu = tensors.get("cpu");
  if (!cpu) throw new Error("it has no state of the random numbers");
  setRandomState(cpu);
  const device = optimizer.parameters[0]?.device ?? "cpu";
  const other = tensors.get(device.replace(/:.*/, ""));
  if (device !== "cpu" && other) setRandomState(other, device);
}
