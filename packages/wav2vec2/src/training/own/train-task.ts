import { join } from "node:path";
import type { Device, nn } from "@wav2vec2/libtorch";
import { FUNCTION, OBJECT, requireArguments } from "../../argument-kinds.js";
import type { PlannedBatchOf, Preparation } from "../../data/batches/prepare-batch.js";
import type { Utterance } from "../../data/utterance.js";
import type { World } from "../../distributed/world.js";
import { ConfigurationError } from "../../errors.js";
import { requireOptions } from "../../known-options.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import type { Tracker } from "../../tracking/tracker.js";
import { type LoopResult, train } from "../loop/loop.js";
import type { Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { fingerprint, RUN_OPTIONS, type RunOptions, type TrainingRun, withRun } from "../run/training-run.js";
import { meansOf } from "../task/means.js";
import type { Task, TrainingBatch } from "../task/task.js";
import { requireTaskMembers, TASK_MEMBERS } from "../task/task-members.js";
import { heldLoss } from "./held-loss.js";
import { type OwnBatches, type OwnClips, ownBatches } from "./own-batches.js";
import { saveOwnModule } from "./save-own-module.js";

type Optional = "data" | "metrics" | "evaluate" | "save";
type Own = Optional | "module" | "batches";

/**
 * A task of one's own: a module, its batches and its loss. What is left out of a {@link Task} has a default.
 *
 * | | default |
 * |---|---|
 * | `data` | tells the clips of `batchesOf`, or those that were read |
 * | `metrics` | the loss, and each of its sums, divided by `count` |
 * | `evaluate` | the same over the clips to validate on of `batchesOf`, without dropout and masks; the criterion is the loss |
 * | `save` | weights, and the configuration of the network in the module, in `best/` and `final/` |
 */
export interface OwnTask<Batch extends TrainingBatch = TrainingBatch, Module extends nn.Module = nn.Module>
  extends Omit<Task<Batch>, Own>,
    Partial<Pick<Task<Batch>, Optional>> {
  module: Module;
  /** What `batchesOf` gives: to train and to validate on; or endless batches from a position on, with an `evaluate`. */
  batches: OwnBatches<Batch> | Task<Batch>["batches"];
  /** Of the module's network, for its directory. Default: the module's own field, or that of the network in it */
  config?: Wav2Vec2Config;
}

/** A task as it is, whose hooks know what its batches are: `return defineTask({ module, batches, loss(batch) { … } })`. */
export function defineTask<Batch extends TrainingBatch, Module extends nn.Module>(
  task: OwnTask<Batch, Module>,
): OwnTask<Batch, Module> {
  requireArguments("defineTask", { task: [task, OBJECT] });
  return task;
}

/** What surrounds a task of one's own. */
export interface TaskRun
  extends Pick<TrainingRun, "readSplits" | "world" | "transforms" | "signal" | "loading"> {
  recipe: Recipe;
  /** Where the module should be: `module.to({ device })`. */
  device: Device;
  tracker: Tracker;
  /**
   * Batches as the recipe orders, limits and augments them, shared among the processes: the task's `batches`.
   *
   * @param preparation of `ctcPreparation` or `preTrainingPreparation`
   */
  batchesOf<Made extends Preparation>(
    preparation: Made,
    clips: OwnClips,
  ): Promise<OwnBatches<PlannedBatchOf<Made>>>;
}

export interface TrainTaskResult<Module extends nn.Module> extends LoopResult {
  /** In memory, as it is behind the last step. */
  module: Module;
  /** Directory of the best model; undefined where there was no validation that could be the best. */
  model: string | undefined;
}

/**
 * Trains a task of one's own on what `finetune` and `pretrain` have: run directory, splits, worker threads, accumulation,
 * precision, several processes, tracking, report, checkpoints, resuming, early stopping, the best model.
 *
 * @param define makes the module and says how it is trained; called in each process, which must make the same
 * @throws ConfigurationError for a task that lacks something or knows no such hook
 * @throws HookError where a hook fails, naming it and the step
 * @throws UserError as `finetune`
 */
export async function trainTask<Batch extends TrainingBatch, Module extends nn.Module>(
  given: Recipe,
  options: RunOptions,
  define: (run: TaskRun) => OwnTask<Batch, Module> | Promise<OwnTask<Batch, Module>>,
): Promise<TrainTaskResult<Module>> {
  requireArguments("trainTask", { recipe: [given, RECIPE], define: [define, FUNCTION] });
  requireOptions("trainTask", options, RUN_OPTIONS);
  return await withRun(given, options, async (run) => {
    const recipe = await run.settle(given, undefined);
    let clips: readonly Utterance[] | undefined;
    const own = await define({
      ...run,
      recipe,
      async batchesOf(preparation, choice) {
        const { train: used, ...made } = await ownBatches(preparation, choice, { ...run, recipe });
        clips = used;
        return made;
      },
    });
    clips ??= run.trainClips();
    const task = completed(own, { recipe, run, clips });
    if (!clips && recipe.max_steps === undefined)
      throw new ConfigurationError(
        "max_epochs counts how often clips are trained on, but the task takes none of readSplits or batchesOf. Give max_steps.",
      );
    const planned = run.plan(recipe, clips ?? []);
    await run.begin(task.data, { module: own.module, config: own.config });
    const result = await train(planned, task, { ...run, ownHooks: new Set(TASK_MEMBERS) });
    return { ...result, module: own.module, model: result.best && join(recipe.output, "best") };
  });
}

/** With what was left out. */
function completed<Batch extends TrainingBatch, Module extends nn.Module>(
  own: OwnTask<Batch, Module>,
  { recipe, run, clips }: { recipe: Recipe; run: TrainingRun; clips: readonly Utterance[] | undefined },
): Task<Batch> {
  if (typeof own !== "object" || own === null)
    throw new ConfigurationError(
      "trainTask must be given a function that returns a task, but it returned none.",
    );
  const { batches, config, metrics = meansOf, data, evaluate, save, ...members } = own;
  const task = {
    ...members,
    batches: typeof batches === "object" ? (from) => batches.batches(from) : batches,
    data: data ?? dataOf(clips),
    metrics,
    evaluate: evaluate ?? validation({ ...own, metrics }, recipe, run.world),
    save: save ?? ((kind) => saveOwnModule(join(recipe.output, kind), own.module, config, recipe)),
  } satisfies Task<Batch>;
  requireTaskMembers(task);
  return task;
}

function dataOf(clips: readonly Utterance[] | undefined): string {
  if (clips) return fingerprint(clips);
  throw new ConfigurationError(
    "data of a task must tell its clips from others, but is missing. Give it, or take clips of readSplits.",
  );
}

function validation<Batch extends TrainingBatch>(
  task: Pick<OwnTask<Batch>, "module" | "loss" | "batches"> & Pick<Task<Batch>, "metrics">,
  recipe: Recipe,
  world: World,
): Task<Batch>["evaluate"] {
  const { batches } = task;
  if (typeof batches === "object")
    return (_, signal) => heldLoss(task, batches.heldBatches(), { recipe, world, signal });
  throw new ConfigurationError(
    "A task must have evaluate where its batches are not those of batchesOf, but has not. Return { metrics, criterion } in it.",
  );
}
