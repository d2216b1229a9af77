import type { ModelWithHead } from "../../model/heads/model-with-head.js";
import type { Tracker } from "../../tracking/tracker.js";
import { drawSkippedLayers } from "../loop/draws.js";
import type { Recipe } from "../recipe/recipe.js";

/** Sets what depends on the step for any network with a head: whether its backbone waits, and which layers are left out. */
export function annealHead(
  model: ModelWithHead,
  { seed, freeze_backbone_steps: headOnly = 0 }: Pick<Recipe, "seed" | "freeze_backbone_steps">,
  step: number,
  tracker: Pick<Tracker, "tell">,
): void {
  const frozen = step < headOnly;
  if (model.backboneFrozen && !frozen) tracker.tell(`Step ${step}: the backbone is trained from here on.`);
  model.backboneFrozen = frozen;
  model.wav2vec2.encoder.skippedLayers = drawSkippedLayers(model.config, seed, step);
}
