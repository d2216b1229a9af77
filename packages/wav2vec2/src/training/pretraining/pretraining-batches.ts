import { fromHost } from "@wav2vec2/libtorch";
import { ITERABLE, OBJECT, requireArguments, UTTERANCES } from "../../argument-kinds.js";
import type { PlannedBatch } from "../../data/batches/batches.js";
import {
  type BatchLoadOptions,
  type EmptyBatch,
  type Placed,
  plannedBatches,
  type RefusesBadAudio,
} from "../../data/batches/load-batches.js";
import type { PreTrainingPreparation } from "../../data/batches/preparation.js";
import type { ClipJob } from "../../data/batches/prepare-batch.js";
import type { PreTrainingBatch } from "../../data/batches/pretraining-collator.js";
import type { Utterance } from "../../data/utterance.js";
import type { PreTrainingOutput, Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import type { PreTrainingLoss } from "../../model/heads/pretraining/pretraining-loss.js";
import { MODULE } from "../../module-kinds.js";

/** What a model makes of a batch with masks and distractors. */
export type ScoredBatch = PreTrainingOutput & PreTrainingLoss;

export type PreTrainingTrainingBatch = PreTrainingBatch & Placed;

/**
 * The audio, masks and distractors of planned batches.
 *
 * @returns batches, each valid until the next is asked for, with their places in the plan; with `onBadAudio: "skip"` empty
 * ones (`isEmpty`) where no clip could be read
 * @throws UserError as `loadBatches`
 */
export function preTrainingBatches(
  utterances: readonly Utterance[],
  plan: Iterable<PlannedBatch>,
  preparation: PreTrainingPreparation,
  options?: BatchLoadOptions & RefusesBadAudio,
): AsyncGenerator<PreTrainingTrainingBatch>;
export function preTrainingBatches(
  utterances: readonly Utterance[],
  plan: Iterable<PlannedBatch>,
  preparation: PreTrainingPreparation,
  options: BatchLoadOptions,
): AsyncGenerator<PreTrainingTrainingBatch | EmptyBatch>;
export function preTrainingBatches(
  utterances: readonly Utterance[],
  plan: Iterable<PlannedBatch>,
  preparation: PreTrainingPreparation,
  options: BatchLoadOptions = {},
): AsyncGenerator<PreTrainingTrainingBatch | EmptyBatch> {
  requireArguments("preTrainingBatches", {
    utterances: [utterances, UTTERANCES],
    plan: [plan, ITERABLE],
    preparation: [preparation, OBJECT],
    options: [options, OBJECT],
  });
  const clipOf = (index: number): ClipJob => {
    const { id, path, samples, start, end } = utterances[index]!;
    return preparation.transforms ? utterances[index]! : { id, path, samples, start, end };
  };
  return plannedBatches(plan, preparation, clipOf, options);
}

/** The model's outputs and losses for a batch's audio, masks and distractors. */
export function forwardPreTraining(model: Wav2Vec2ForPreTraining, batch: PreTrainingBatch): ScoredBatch {
  requireArguments("forwardPreTraining", { model: [model, MODULE], batch: [batch, OBJECT] });
  return model.forward({
    input: fromHost(batch.input, [batch.ids.length, batch.paddedLength], model.device),
    lengths: batch.lengths,
    maskTimeIndices: batch.mask,
    sampledNegativeIndices: batch.negatives,
  });
}
