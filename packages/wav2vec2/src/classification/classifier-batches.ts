import { fromHost, type Tensor } from "@wav2vec2/libtorch";
import type { AugmentationOptions } from "../data/batches/augmentation.js";
import type { PlannedBatch } from "../data/batches/batches.js";
import type { CtcBatch } from "../data/batches/ctc-collator.js";
import {
  type BatchLoadOptions,
  type EmptyBatch,
  type Placed,
  plannedBatches,
} from "../data/batches/load-batches.js";
import type { ClipJob } from "../data/batches/prepare-batch.js";
import type { Transforms } from "../data/batches/transforms.js";
import type { Utterance } from "../data/utterance.js";
import { taskOfModel } from "../model/heads/classification-task.js";
import type { ModelInput } from "../model/wav2vec2-model.js";
import type { Classifier } from "./classifier-directory.js";
import { CLASSIFICATION_TASKS } from "./tasks.js";

/** The audio of some clips; what they are is known by their ids. */
export type ClipBatch = Pick<CtcBatch, "ids" | "input" | "paddedLength" | "lengths"> & Placed;

export interface ClipBatchOptions extends BatchLoadOptions {
  /** What augmentation depends on besides the epoch and the utterance. */
  seed?: number;
  augmentation?: AugmentationOptions | undefined;
  /** What a module of one's own does to clips, of `loadTransforms`. */
  transforms?: Transforms | undefined;
}

/**
 * The audio of planned batches.
 *
 * @returns batches, each valid until the next is asked for, with their places in the plan; empty ones where no clip could be
 * read
 * @throws UserError as `loadBatches`
 */
export function clipBatches(
  { model, normalize }: Classifier,
  utterances: readonly Utterance[],
  plan: Iterable<PlannedBatch>,
  { seed = 0, augmentation, transforms, ...options }: ClipBatchOptions,
): AsyncGenerator<ClipBatch | EmptyBatch> {
  const { minimumSamples } = CLASSIFICATION_TASKS[taskOfModel(model)];
  // Padded as for CTC, with no labels.
  const collation = { task: "ctc", minimumSamples: minimumSamples(model.config) } as const;
  const none = new Int32Array(0);
  const clipOf = (index: number): ClipJob => {
    const { id, path, samples, start, end } = utterances[index]!;
    const clip = transforms?.hooks.includes("collate")
      ? utterances[index]!
      : { id, path, samples, start, end };
    return { ...clip, labels: none };
  };
  return plannedBatches(plan, { seed, normalize, augmentation, transforms, collation }, clipOf, options);
}

/** A batch as a network reads it. */
export function inputOf(
  { model }: Classifier,
  batch: Pick<ClipBatch, "ids" | "input" | "paddedLength" | "lengths">,
): ModelInput & { input: Tensor } {
  const input = fromHost(batch.input, [batch.ids.length, batch.paddedLength], model.device); // [batch, samples]
  return { input, lengths: Array.from(batch.lengths) };
}
