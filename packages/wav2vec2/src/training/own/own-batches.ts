import {
  type BatchPosition,
  batchOrder,
  epochOfBatches,
  shareOfBatches,
} from "../../data/batches/batches.js";
import {
  type BatchLoadOptions,
  type EmptyBatch,
  type LabelEncoder,
  plannedBatches,
} from "../../data/batches/load-batches.js";
import { textTransform } from "../../data/batches/load-transforms.js";
import type { ClipJob, PlannedBatchOf, Preparation } from "../../data/batches/prepare-batch.js";
import type { Transforms } from "../../data/batches/transforms.js";
import { filterByDuration } from "../../data/corpus/filter.js";
import type { Utterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import type { Tracker } from "../../tracking/tracker.js";
import { batchLimitsOf, batchPlanOf } from "../loop/batch-plan.js";
import type { Recipe } from "../recipe/recipe.js";
import { findAugmentation } from "../run/augmentation-files.js";
import { fingerprint } from "../run/training-run.js";

/** What a task trains and validates on. */
export interface OwnClips {
  train: readonly Utterance[];
  held: readonly Utterance[];
  /** Makes labels of transcripts, where the batches are for CTC. */
  tokenizer?: LabelEncoder | undefined;
}

/** Batches of a task's own: to train and to validate on. */
export interface OwnBatches<Batch> {
  /** Tells the clips to train on from others. */
  data: string;
  /** Endless, from a position on. */
  batches(from: BatchPosition): AsyncGenerator<Batch | EmptyBatch>;
  /** One epoch of what is validated on, this process's share of it. */
  heldBatches(): AsyncIterable<Batch | EmptyBatch>;
}

interface Surroundings {
  recipe: Recipe;
  loading: BatchLoadOptions;
  transforms: Transforms | undefined;
  world: World;
  tracker: Tracker;
}

/**
 * Batches as a recipe orders, limits and augments them, shared among the processes.
 *
 * @param preparation of `ctcPreparation` or `preTrainingPreparation`; the recipe's augmentation and transforms hold where it has none
 * @throws UserError where no clip is as long as the recipe wants
 */
export async function ownBatches<Made extends Preparation>(
  preparation: Made,
  { train: all, held, tokenizer }: OwnClips,
  { recipe, loading, transforms, world, tracker }: Surroundings,
): Promise<OwnBatches<PlannedBatchOf<Made>> & { train: readonly Utterance[] }> {
  const { min_seconds: minSeconds, max_seconds: maxSeconds, train_split: split } = recipe.data;
  const { kept: train } = filterByDuration(all, { minSeconds, maxSeconds });
  if (train.length < all.length)
    tracker.note(
      `${all.length - train.length} utterances outside ${minSeconds} to ${maxSeconds} s were left out.`,
    );
  if (train.length === 0)
    throw new UserError(`${split} must hold utterances to train on, but all ${all.length} were left out.`);
  const made: Made = {
    ...preparation,
    seed: recipe.seed,
    transforms: preparation.transforms ?? transforms,
    augmentation: preparation.augmentation ?? (await findAugmentation(recipe.data)),
  };
  const fixed: Made = { ...made, seed: 0, augmentation: undefined, training: false };
  const labels = async (settings: Preparation, clips: readonly Utterance[]) => {
    const { seed, training = true } = settings;
    const textOf = await textTransform(settings.transforms, { seed, training });
    return (index: number, epoch: number): ClipJob => {
      const clip = clips[index]!;
      const { id, text } = clip;
      if (!tokenizer || text === undefined) return clip;
      return { ...clip, labels: tokenizer.encode(textOf({ id, text }, epoch), { utterance: id }) };
    };
  };
  return {
    train,
    data: fingerprint(train),
    async *batches(from) {
      const plan = shareOfBatches(batchOrder(train, batchPlanOf(recipe), from), world);
      yield* plannedBatches(plan, made, await labels(made, train), loading);
    },
    async *heldBatches() {
      const plan = epochOfBatches(held, { ...batchLimitsOf(recipe), seed: 0, epoch: 0 });
      yield* plannedBatches(shareOfBatches(plan, world), fixed, await labels(fixed, held), loading);
    },
  };
}
