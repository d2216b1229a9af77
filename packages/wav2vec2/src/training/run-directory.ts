import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../errors.js";
import type { Tracker } from "../tracking/tracker.js";
import { listCheckpoints, recoverRun } from "./checkpoint.js";
import type { Recipe } from "./recipe.js";
import { loadRecipe, writeRecipe } from "./recipe-file.js";

/** What may differ between the parts of one run; anything else would make it another run. */
const CHANGEABLE: (keyof Recipe)[] = [
  "max_steps",
  "max_minutes",
  "output",
  "logging_steps",
  "eval_steps",
  "save_steps",
  "keep_checkpoints",
  "threads",
  // What a run that went wrong is mended with.
  "optimizer",
  "gradient_checkpointing",
];

/** Makes the recipe's run directory. @throws UserError where it would mix two runs */
export async function prepareOutput(recipe: Recipe, resume: boolean, tracker: Tracker): Promise<void> {
  const { output } = recipe;
  await recoverRun(output);
  if (resume && (await listCheckpoints(output)).length > 0) requireSameRun(recipe, tracker);
  if (!resume && (await listCheckpoints(output)).length > 0) {
    throw new UserError(
      `${output} must be a new run directory, but holds checkpoints. Add --resume to go on, or give another --output.`,
    );
  }
  await mkdir(output, { recursive: true });
  if (!resume)
    for (const name of ["best", "final", "left-out.txt"])
      await rm(join(output, name), { recursive: true, force: true });
  await writeRecipe(join(output, "recipe.yaml"), recipe);
}

function requireSameRun(recipe: Recipe, tracker: Tracker): void {
  const path = join(recipe.output, "recipe.yaml");
  const before = loadRecipe(path);
  for (const key of Object.keys(recipe) as (keyof Recipe)[]) {
    const same = isDeepStrictEqual(recipe[key], before[key]);
    if (key === "optimizer" && !same) tracker.note("The optimizer's settings are others from here on.");
    if (same || CHANGEABLE.includes(key) || (key === "data" && sameData(recipe, before))) continue;
    throw new UserError(
      `${key} must be as in ${path} to go on with that run, but is ${JSON.stringify(recipe[key])} instead of ` +
        `${JSON.stringify(before[key])}. Give another --output for another run.`,
    );
  }
}

/** Whether two recipes train on the same clips but for what is left out; the number of threads does not change them. */
function sameData({ data }: Recipe, before: Recipe): boolean {
  const fixed = (other: Recipe["data"]) => ({ ...other, workers: 0, exclude: undefined, on_bad_data: "" });
  return isDeepStrictEqual(fixed(data), fixed(before.data));
}
