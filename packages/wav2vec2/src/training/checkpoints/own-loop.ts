import type { nn, optim } from "@wav2vec2/libtorch";
import { findCheckpoint, loadCheckpoint, type Progress } from "./checkpoint.js";
import { CheckpointWriter } from "./checkpoint-writer.js";

/** What a checkpoint is of. */
export interface Checkpointed {
  module: nn.Module;
  optimizer: optim.Optimizer;
}

export interface SaveCheckpointOptions extends Checkpointed {
  /** How many of the newest checkpoints to keep. Default: 2 */
  keep?: number | undefined;
  /** Gets what is wrong with the disk before it is thrown. Default: nobody */
  onNote?: ((text: string) => void) | undefined;
}

/**
 * Writes weights, optimiser, libtorch's random numbers and where training stands into `runDirectory/checkpoints/step-N`, for a
 * loop of one's own: complete, with hashes, or not at all.
 *
 * @param progress the optimiser steps that are done, and what else there is to know, such as the place in the data
 * @throws UserError where it cannot be written, naming it and the free space
 */
export async function saveCheckpoint(
  runDirectory: string,
  progress: Pick<Progress, "step"> & Partial<Progress>,
  { module, optimizer, keep = 2, onNote = () => {} }: SaveCheckpointOptions,
): Promise<void> {
  const { step } = progress;
  await using writer = new CheckpointWriter(runDirectory, module, optimizer, { keep, step: -1, onNote });
  const start = { position: { epoch: 0, batch: 0 }, data: "", seconds: 0, evaluated: -1 };
  await writer.complete(step, () => writer.save({ ...start, ...progress }));
}

/**
 * Goes on from the newest whole checkpoint of a run directory: weights, optimiser and random numbers become its.
 *
 * @param options.onNote gets a sentence on newer ones that are damaged
 * @returns where training stood; undefined where there is no checkpoint
 * @throws UserError where all are damaged, or it is of another model
 */
export async function loadNewestCheckpoint(
  runDirectory: string,
  { module, optimizer, onNote = () => {} }: Checkpointed & { onNote?: ((text: string) => void) | undefined },
): Promise<Progress | undefined> {
  const newest = await findCheckpoint(runDirectory, onNote);
  return newest === undefined ? undefined : await loadCheckpoint(runDirectory, newest, module, optimizer);
}
