import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  loadState,
  loadTensors,
  type nn,
  type optim,
  randomState,
  saveTensors,
  setRandomState,
  type Tensor,
} from "@wav2vec2/libtorch";
import type { BatchPosition } from "../../data/batches/batches.js";
import { UserError } from "../../errors.js";
import { directoryOf, recoverDirectory, writeDirectoryAtomic } from "../../files/atomic-directory.js";
import { writeFileAtomic } from "../../files/atomic-file.js";
import type { MeterState } from "./meter.js";

/** Everything of a run that its tensors do not hold. */
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
  /** The best validation so far and its step. */
  best?: { value: number; step: number };
  /** Validations in a row that were no better than the best before them. */
  stale?: number;
  /** What was measured since the last line of metrics. */
  meter?: MeterState;
  /** Of float16's losses. */
  lossScale?: optim.GradScalerState;
}

const DIRECTORY = /^step-(\d+)$/;

/** Steps of the checkpoints in a run directory, oldest first. */
export async function listCheckpoints(runDirectory: string): Promise<number[]> {
  const names = await readdir(join(runDirectory, "checkpoints")).catch(() => []);
  return names
    .flatMap((name) => DIRECTORY.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
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

/** Writes `checkpoints/step-N` (complete or absent) and removes all but the newest `keep`. */
export async function saveCheckpoint(
  runDirectory: string,
  module: nn.Module,
  optimizer: optim.AdamW,
  progress: Progress,
  keep: number,
): Promise<void> {
  await writeDirectoryAtomic(checkpointPath(runDirectory, progress.step), async (temporary) => {
    await saveTensors(join(temporary, "model.safetensors"), module.namedParameters());
    await saveTensors(join(temporary, "optimizer.safetensors"), optimizerTensors(optimizer));
    await saveTensors(join(temporary, "random.safetensors"), [["cpu", randomState()]]);
    const state = { ...progress, optimizerSteps: optimizer.state().steps };
    await writeFileAtomic(join(temporary, "progress.json"), `${JSON.stringify(state)}\n`);
  });
  const old = (await listCheckpoints(runDirectory)).slice(0, -keep);
  for (const step of old) await rm(checkpointPath(runDirectory, step), { recursive: true, force: true });
}

/**
 * Restores the newest checkpoint of a run: weights, optimiser, random numbers.
 *
 * @returns undefined where there is none
 * @throws UserError when it does not fit the model
 */
export async function loadCheckpoint(
  runDirectory: string,
  module: nn.Module,
  optimizer: optim.AdamW,
): Promise<Progress | undefined> {
  const newest = (await listCheckpoints(runDirectory)).at(-1);
  if (newest === undefined) return undefined;
  const path = checkpointPath(runDirectory, newest);
  try {
    const mismatch = await loadState(module, join(path, "model.safetensors"));
    if (mismatch.missing.length + mismatch.unexpected.length + mismatch.misshaped.length > 0) {
      throw new Error("its model has other parameters than the recipe's");
    }
    const { optimizerSteps, ...progress } = JSON.parse(
      await readFile(join(path, "progress.json"), "utf8"),
    ) as Progress & { optimizerSteps: number[] };
    const { tensors } = await loadTensors(join(path, "optimizer.safetensors"));
    const moments = (name: string) => optimizer.parameters.map((_, i) => tensors.get(`${name}.${i}`));
    optimizer.loadState({
      steps: optimizerSteps,
      firstMoments: moments("exp_avg"),
      secondMoments: moments("exp_avg_sq"),
    });
    const random = (await loadTensors(join(path, "random.safetensors"))).tensors.get("cpu");
    if (!random) throw new Error("it has no state of the random numbers");
    setRandomState(random);
    return progress;
  } catch (error) {
    throw new UserError(
      `${path} must be a checkpoint of this run, but is not: ` +
        `${(error as Error).message.replace(/\.$/, "")}. Remove it to go on from the one before, or give another --output.`,
      { cause: error },
    );
  }
}

function checkpointPath(runDirectory: string, step: number): string {
  return join(runDirectory, "checkpoints", `step-${step}`);
}

/** The moments under PyTorch's names, by position of their parameter. */
function* optimizerTensors(optimizer: optim.AdamW): Generator<[string, Tensor]> {
  const { firstMoments, secondMoments } = optimizer.state();
  for (const [i, moment] of firstMoments.entries()) if (moment) yield [`exp_avg.${i}`, moment];
  for (const [i, moment] of secondMoments.entries()) if (moment) yield [`exp_avg_sq.${i}`, moment];
}
