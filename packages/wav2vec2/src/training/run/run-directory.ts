import { existsSync } from "node:fs";
import { access, constants, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { type Difference, differences, shown } from "../../differences.js";
import { UserError } from "../../errors.js";
import { reasonOf } from "../../files/atomic/atomic-file.js";
import { lockFile } from "../../files/atomic/lock-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import type { Tracker } from "../../tracking/tracker.js";
import { listCheckpoints, recoverRun } from "../checkpoints/checkpoint.js";
import type { Recipe } from "../recipe/recipe.js";
import { loadRecipe, writeRecipe } from "../recipe/recipe-file.js";

/** What may differ between the parts of one run; anything else would make it another run. */
const CHANGEABLE: (keyof Recipe)[] = [
  "max_steps",
  "max_epochs",
  "max_minutes",
  "output",
  "logging_steps",
  "eval_steps",
  "save_steps",
  "metric_for_best_model",
  "greater_is_better",
  "early_stopping_patience",
  "early_stopping_threshold",
  "keep_checkpoints",
  "tracking",
  "run_name",
  "log_model",
  "histogram_steps",
  "system_seconds",
  "wandb",
  "mlflow",
  "threads",
  "device",
  // What another number of processes or another network wants.
  "gradient_accumulation",
  "distributed",
  // What a run that went wrong is mended with.
  "optimizer",
  "gradient_checkpointing",
];

/** A run directory that no other process writes while this one has it. */
export interface RunDirectory extends AsyncDisposable {
  /** The precision of the run that goes on; undefined for a new one. */
  precision: Recipe["precision"] | undefined;
  /** Says in `recipe.yaml` what is trained. Until then a new run leaves nothing behind. */
  begin(recipe: Recipe): Promise<void>;
}

/**
 * Takes the recipe's run directory, without a change to what another run has left there.
 *
 * @throws UserError where it would mix two runs or write over one
 * @throws the signal's reason where it is aborted while another machine's lock is looked at
 */
export async function takeRunDirectory(
  recipe: Recipe,
  resume: boolean,
  tracker: Tracker,
  signal?: AbortSignal,
): Promise<RunDirectory> {
  const { output } = recipe;
  await makeRunDirectory(output);
  const onNote = (text: string) => tracker.note(text);
  const unlock = await lockFile(join(output, "run.lock"), output, { signal, onNote });
  const release = async () => {
    await unlock();
    await rmdir(output).catch(() => {}); // unless there is something in it
  };
  let before: Recipe | undefined;
  try {
    await recoverRun(output);
    before = await requireUnused(recipe, resume, tracker);
    if (!resume) await rm(join(output, "left-out.txt"), { force: true });
  } catch (error) {
    await release();
    throw error;
  }
  return {
    precision: before?.precision,
    begin: (begun) => writeRecipe(join(output, "recipe.yaml"), begun),
    [Symbol.asyncDispose]: release,
  };
}

async function makeRunDirectory(path: string): Promise<void> {
  try {
    await makeDirectory(path);
    await access(path, constants.W_OK);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === "EEXIST" ? "it is a file" : reasonOf(error);
    throw new UserError(
      `${path} must be a directory that can be written, but ${reason}. Give another --output.`,
      {
        cause: error,
      },
    );
  }
}

/** @returns the recipe of the run that goes on, where one does */
async function requireUnused(recipe: Recipe, resume: boolean, tracker: Tracker): Promise<Recipe | undefined> {
  const { output } = recipe;
  if ((await listCheckpoints(output)).length > 0) {
    if (resume) return requireSameRun(recipe, tracker);
    throw new UserError(
      `${output} must be a new run directory, but holds checkpoints. Add --resume to go on, or give another --output.`,
    );
  }
  const models = ["best", "final"].filter((name) => existsSync(join(output, name)));
  if (models.length > 0) {
    throw new UserError(
      `${output} must be a new run directory or hold checkpoints, but holds ${models.join(" and ")} without any. Give ` +
        "another --output, or move them away first.",
    );
  }
  if (resume) tracker.note(`${output} holds no checkpoint to go on from: a new run begins.`);
  return undefined;
}

function requireSameRun(recipe: Recipe, tracker: Tracker): Recipe {
  const path = join(recipe.output, "recipe.yaml");
  const before = loadRecipe(path);
  for (const key of Object.keys(recipe) as (keyof Recipe)[]) {
    const [change] =
      key === "data" ? dataChanges(recipe, before) : differences(recipe[key], before[key], key);
    if (key === "optimizer" && change) tracker.note("The optimizer's settings are others from here on.");
    if (!change || CHANGEABLE.includes(key)) continue;
    if (key === "precision" && recipe.precision === "auto") continue; // it stays what it was
    throw new UserError(
      `${change.key} must be as in ${path} to go on with that run, but is ${shown(change.one)} instead of ` +
        `${shown(change.other)}. Give another --output for another run.`,
    );
  }
  return before;
}

/** Those that make it other clips but for what is left out; the number of threads does not change them. */
function dataChanges({ data }: Recipe, before: Recipe): Difference[] {
  const fixed = (other: Recipe["data"]) => ({
    ...other,
    workers: 0,
    exclude: undefined,
    on_bad_data: "",
    feature_cache: undefined,
  });
  return differences(fixed(data), fixed(before.data), "data");
}
