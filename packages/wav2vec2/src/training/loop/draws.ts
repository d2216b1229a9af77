import { manualSeed } from "@wav2vec2/libtorch";
import type { BatchPosition } from "../../data/batches/batches.js";
import { Random } from "../../data/random.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";

/**
 * Seeds libtorch's random numbers for a batch: dropout, Gumbel noise and masks depend on the run's seed and the batch's place
 * alone, not on what was computed before, nor on which of how many processes computes it.
 */
export function seedBatch(seed: number, { epoch, batch }: BatchPosition): void {
  manualSeed(Math.floor(new Random(seed, "network", epoch, batch).uniform() * 2 ** 53));
}

/**
 * The layers that LayerDrop (Fan et al. 2020, arXiv 1909.11556) leaves out of an update: of all its batches, in all
 * processes, so that none waits for another's layers.
 */
export function drawSkippedLayers(
  { layerdrop, numHiddenLayers }: Pick<Wav2Vec2Config, "layerdrop" | "numHiddenLayers">,
  seed: number,
  step: number,
): Set<number> {
  const random = new Random(seed, "layerdrop", step);
  const layers = Array.from({ length: numHiddenLayers }, (_, layer) => layer);
  return new Set(layers.filter(() => random.uniform() < layerdrop));
}
