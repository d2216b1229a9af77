import { type BatchLimits, type BatchOptions, lengthBucketedBatches } from "../../data/batches/batches.js";
import { batchLimits } from "../../recognition/emissions/ctc-batches.js";
import type { Recipe } from "../recipe/recipe.js";

/** A recipe whose steps are known, also where it counts epochs. */
export type PlannedRecipe = Recipe & { max_steps: number };

/** Seconds of audio in a batch where a recipe says nothing of its size. */
const BATCH_SECONDS = 100;

/** How large a recipe's batches are. */
export function batchLimitsOf({ data }: Recipe): BatchLimits {
  return batchLimits({ batchSeconds: data.batch_seconds, batchSize: data.batch_size }, BATCH_SECONDS);
}

/** How a recipe groups and orders its clips. */
export function batchPlanOf(recipe: Recipe): Omit<BatchOptions, "epoch"> {
  return { ...batchLimitsOf(recipe), seed: recipe.seed, groupByLength: recipe.data.group_by_length };
}

/** As many clips' batches are counted before a start; a corpus of a thousand hours has a million in some epochs. */
const COUNTED_CLIPS = 1e6;

/**
 * The recipe with the steps that `max_epochs` takes; part of an epoch is that share of its batches. Epochs differ by
 * few batches: where there are very many clips, the mean of the first epochs stands for the others.
 */
export function planSteps(
  recipe: Recipe,
  lengths: readonly { samples: number }[],
  processes = 1,
): PlannedRecipe {
  const { max_steps: given, max_epochs: epochs = 0 } = recipe;
  const batchesAStep = recipe.gradient_accumulation * processes;
  if (given !== undefined) return { ...recipe, max_steps: given };
  const counted = Math.min(epochs, Math.max(1, Math.floor(COUNTED_CLIPS / lengths.length)));
  let batches = 0;
  for (let epoch = 0; epoch < counted; epoch++) {
    const { length } = lengthBucketedBatches(lengths, { ...batchPlanOf(recipe), epoch });
    batches += Math.ceil(length * Math.min(1, epochs - epoch));
  }
  if (counted < epochs) batches = Math.ceil((batches / counted) * epochs);
  return { ...recipe, max_steps: Math.ceil(batches / batchesAStep) };
}
