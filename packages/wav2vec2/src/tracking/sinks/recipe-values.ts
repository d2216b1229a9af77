import { flattened } from "../../differences.js";
import type { RunDescription } from "../run-description.js";

/** Where and how a run is shown and saved, and on what machine: what says nothing of what is learned. */
const PLACE =
  /^(output|threads|device|tracking|run_name|log_model|histogram_steps|system_seconds|wandb|mlflow|logging_steps|eval_steps|save_steps|keep_checkpoints|distributed|data\.(root|workers|feature_cache))(\.|$)/;

/** What a recipe says, under names such as `optimizer.learning_rate`; without what it leaves to the model or to chance. */
export function recipeValues({
  recipe,
}: Pick<RunDescription, "recipe">): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(flattened(recipe)).flatMap(([name, value]) => {
      if (value === undefined || value === null) return [];
      const isPlain = ["string", "number", "boolean"].includes(typeof value);
      return [[name, isPlain ? (value as string | number | boolean) : JSON.stringify(value)]];
    }),
  );
}

/** Those by which runs are compared. */
export function comparedValues(
  run: Pick<RunDescription, "recipe">,
): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(recipeValues(run)).filter(([name]) => !PLACE.test(name)));
}
