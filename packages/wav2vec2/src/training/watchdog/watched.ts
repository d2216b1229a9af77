import type { Wav2Vec2Config } from "../../model/configuration.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { PlannedRecipe } from "../loop/batch-plan.js";
import { warmupSteps } from "../loop/schedule.js";
import { Watchdog } from "./watchdog.js";

/** A tracker that also notes what looks wrong in the metrics of pre-training. */
export function watched(tracker: Tracker, recipe: PlannedRecipe, config: Wav2Vec2Config): Tracker {
  const watchdog = new Watchdog({
    negatives: config.numNegatives,
    entries: config.numCodevectorGroups * config.numCodevectorsPerGroup,
    groups: config.numCodevectorGroups,
    warmupSteps: warmupSteps(recipe.schedule, recipe.max_steps),
    maxSteps: recipe.max_steps,
    maxGradNorm: recipe.optimizer.max_grad_norm || Number.POSITIVE_INFINITY,
  });
  return {
    ...tracker,
    log(metrics, step) {
      tracker.log(metrics, step);
      for (const { name, text } of watchdog.look(metrics, step)) tracker.note(text, { step, name });
    },
  };
}
