import { type nn, optim } from "@wav2vec2/libtorch";
import { isObject, type Kind, PATH, requireArguments, requireKind, whole } from "../../argument-kinds.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { MODULE } from "../../module-kinds.js";
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

const CHECKPOINTED = {
  module: MODULE,
  optimizer: {
    must: "an optim.Optimizer",
    holds: (value) => value instanceof optim.Optimizer,
  },
} satisfies KnownOptions<Checkpointed>;

/** Neither has a default. */
function requireBoth(of: string, { module, optimizer }: Checkpointed): void {
  requireKind(`module of ${of}`, module, CHECKPOINTED.module);
  requireKind(`optimizer of ${of}`, optimizer, CHECKPOINTED.optimizer);
}

const PROGRESS: Kind = {
  must: "{ step } and what else there is to know",
  holds: (value) => isObject(value) && whole(0).holds(value.step),
  advice: (value) => (typeof value === "number" ? `Give { step: ${value} }.` : undefined),
};

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
  options: SaveCheckpointOptions,
): Promise<void> {
  requireArguments("saveCheckpoint", { runDirectory: [runDirectory, PATH], progress: [progress, PROGRESS] });
  requireOptions("saveCheckpoint", options, { ...CHECKPOINTED, keep: whole(1), onNote: true });
  requireBoth("saveCheckpoint", options);
  const { module, optimizer, keep = 2, onNote = () => {} } = options;
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
  options: Checkpointed & { onNote?: ((text: string) => void) | undefined },
): Promise<Progress | undefined> {
  requireArguments("loadNewestCheckpoint", { runDirectory: [runDirectory, PATH] });
  requireOptions("loadNewestCheckpoint", options, { ...CHECKPOINTED, onNote: true });
  requireBoth("loadNewestCheckpoint", options);
  const { module, optimizer, onNote = () => {} } = options;
  const newest = await findCheckpoint(runDirectory, onNote);
  return newest === undefined ? undefined : await loadCheckpoint(runDirectory, newest, module, optimizer);
}
