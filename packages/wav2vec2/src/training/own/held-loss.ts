import { setImmediate as turn } from "node:timers/promises";
import { isTensor, noGrad, scope } from "@wav2vec2/libtorch";
import { type EmptyBatch, isEmpty } from "../../data/batches/load-batches.js";
import { gatherParts } from "../../distributed/interrupted.js";
import type { World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import { withPrecision } from "../loop/precision.js";
import type { Recipe } from "../recipe/recipe.js";
import type { Task, TrainingBatch, Validation } from "../task/task.js";

/** What a task's loss adds up to over a batch. */
interface HeldBatch {
  /** Its number in the plan. */
  batch: number;
  sums: Record<string, number>;
}

export interface HeldLossOptions {
  recipe: Recipe;
  world: World;
  signal: AbortSignal;
}

/**
 * Validates by a task's own loss: its metrics over batches that are not trained on, without dropout and masks.
 *
 * @returns the metrics, and the loss as the criterion
 * @throws UserError where no clip can be read
 */
export async function heldLoss<Batch extends TrainingBatch>(
  { module, loss, metrics }: Pick<Task<Batch>, "module" | "loss" | "metrics">,
  batches: AsyncIterable<Batch | EmptyBatch>,
  { recipe, world, signal }: HeldLossOptions,
): Promise<Validation> {
  const wasTraining = module.training;
  module.eval();
  try {
    const parts = await gatherParts(world, signal, async () => {
      const own: HeldBatch[] = [];
      for await (const batch of batches) {
        await turn(); // so that Ctrl+C is noticed also where the next batch is always there
        signal.throwIfAborted();
        if (isEmpty(batch)) continue;
        const sums = noGrad(() =>
          scope(() => sumsOf(withPrecision(recipe, module.device, () => loss(batch)))),
        );
        own.push({ batch: batch.place.batch, sums });
      }
      return own;
    });
    // In the order of the plan, so that sums are those of one process, to the bit.
    const total: Record<string, number> = {};
    for (const { sums } of parts.flat().sort((a, b) => a.batch - b.batch))
      for (const [name, value] of Object.entries(sums)) total[name] = (total[name] ?? 0) + value;
    if (!total.count)
      throw new UserError(
        "The loss of the clips to validate on must count parts, but counts none: no clip can be read, or the loss returns a count of 0.",
      );
    return { metrics: metrics(total), criterion: total.loss! / total.count };
  } finally {
    module.train(wasTraining);
  }
}

function sumsOf({ loss, count, sums }: ReturnType<Task["loss"]>): Record<string, number> {
  const values = Object.entries({ loss, count, ...sums });
  return Object.fromEntries(values.map(([name, value]) => [name, isTensor(value) ? value.item() : value]));
}
