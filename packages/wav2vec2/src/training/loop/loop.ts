import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { optim, scope, type Tensor } from "@wav2vec2/libtorch";
import { type Kind, OBJECT, requireArguments, whole } from "../../argument-kinds.js";
import { isEmpty } from "../../data/batches/load-batches.js";
import { Interrupted } from "../../distributed/interrupted.js";
import { ALONE, type World } from "../../distributed/world.js";
import { UserError } from "../../errors.js";
import { isDiskFull } from "../../files/atomic/atomic-file.js";
import { requireFiniteWeights } from "../../recognition/emissions/finite-weights.js";
import type { SystemReading } from "../../tracking/system/system-reading.js";
import { combineTrackers, QUIET, type Tracker } from "../../tracking/tracker.js";
import type { BestValidation, Progress } from "../checkpoints/checkpoint.js";
import { CheckpointWriter } from "../checkpoints/checkpoint-writer.js";
import { restore } from "../checkpoints/restore.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { criterionOf } from "../task/criterion.js";
import { HookError, metricsProblem, withNamedHooks } from "../task/own-hooks.js";
import type { StepContext, Task, TrainingBatch } from "../task/task.js";
import { requireTaskMembers, TASK_MEMBERS } from "../task/task-members.js";
import type { PlannedRecipe } from "./batch-plan.js";
import { seedBatch } from "./draws.js";
import { Gradients } from "./gradients.js";
import { histogramsOf } from "./histograms.js";
import { Meter } from "./meter.js";
import { optimizerOf } from "./optimizer.js";
import { divideParameters, OptimizerShards } from "./optimizer-shards.js";
import { withPrecision } from "./precision.js";
import { learningRateScale } from "./schedule.js";
import { slowStop } from "./slow-stop.js";

export interface LoopOptions {
  /** Default: false */
  resume?: boolean | undefined;
  /** Default: nothing interrupts */
  signal?: AbortSignal | undefined;
  /** Default: nobody is told */
  tracker?: Tracker | undefined;
  /** Hooks of the task that are not the project's own: what goes wrong in them is told by their names. Default: all */
  ownHooks?: ReadonlySet<string> | undefined;
  /** The processes that train together. Default: this one alone */
  world?: World | undefined;
  /** How this process and its machine were since it was called last. Default: nobody looks */
  readings?: (() => readonly SystemReading[]) | undefined;
}

export interface LoopResult {
  steps: number;
  /** The best validation, what it was chosen by, and its step. */
  best: BestValidation | undefined;
  /** Metrics of the newest validation, if there was one since the start. */
  evaluation: Record<string, number> | undefined;
  interrupted: boolean;
}

const STEPS: Kind = {
  ...whole(1),
  advice: () => "Give max_steps: this loop counts no epochs.",
};

/**
 * The one training loop: next batches, loss, backward, scale and clip, step, log, evaluate, save.
 *
 * The device is waited for where something is logged, validated or saved, and in no other step (but for float16, see
 * `Gradients`): a loss that is not finite is told there, and has changed no weight until then.
 */
export async function train<Batch extends TrainingBatch>(
  recipe: PlannedRecipe,
  given: Task<Batch>,
  options: LoopOptions = {},
): Promise<LoopResult> {
  requireArguments("train", { recipe: [recipe, RECIPE], options: [options, OBJECT] });
  requireArguments("train", { "recipe.max_steps": [recipe.max_steps, STEPS] });
  const { resume = false, signal = new AbortController().signal, world = ALONE } = options;
  const { readings: takeReadings, ownHooks = ALL_HOOKS } = options;
  const tracker = combineTrackers([options.tracker ?? QUIET]);
  requireTaskMembers(given, Object.keys(given)); // a task of the project has members besides
  let stepsDone = 0;
  const task = withNamedHooks(given, ownHooks, () => stepsDone);
  const { module } = task;
  const writes = world.rank === 0;
  const owners = divideParameters(module, recipe, world);
  const isElsewhere = (parameter: Tensor) => (owners.get(parameter) ?? world.rank) !== world.rank;
  const optimizer = optimizerOf(task, recipe, isElsewhere, tracker);
  const shards = new OptimizerShards(module, optimizer, owners, world);
  const restored = await restore(recipe.output, { resume, shards, world, onNote: tracker.note });
  const progress: Progress = restored ?? {
    step: 0,
    position: { epoch: 0, batch: 0 },
    data: task.data,
    seconds: 0,
    evaluated: -1,
  };
  if (restored) tracker.resumed(restored);
  if (restored) tracker.tell(resumption(restored.step, recipe));
  else if (writes) requireFiniteWeights(module);
  noteBatches(progress, recipe.gradient_accumulation * world.size, tracker);
  stepsDone = progress.step;
  if (progress.task !== undefined) task.loadState?.(progress.task);
  await shards.share();
  using gradients = new Gradients(optimizer.parameters, recipe, world, {
    order: progress.reducer?.order,
    compression: recipe.distributed.gradient_compression,
  });
  if (progress.lossScale) gradients.scaler?.loadState(progress.lossScale);
  if (progress.data !== task.data) {
    tracker.note("The clips to train on have changed since then: training goes on with a new epoch.");
    progress.position = { epoch: progress.position.epoch + 1, batch: 0 };
    progress.data = task.data;
  }
  const batches = task.batches(progress.position);
  const limit = (recipe.max_minutes ?? Number.POSITIVE_INFINITY) * 60;
  const meter = new Meter();
  // It is that of all processes; earlier versions had another form, whose line of metrics begins anew.
  if (progress.meter?.sums && writes) meter.loadState(progress.meter);
  const { output, keep_checkpoints: keep } = recipe;
  const saving = { keep, step: progress.step, onNote: (text: string) => tracker.note(text) };
  await using checkpoints = writes ? new CheckpointWriter(output, module, optimizer, saving) : undefined;
  let collected = progress.step;
  /** What a checkpoint holds of all processes. */
  const collect = async () => {
    if (task.state) progress.task = task.state();
    if (gradients.scaler) progress.lossScale = gradients.scaler.state();
    const order = gradients.order();
    if (order) progress.reducer = { order };
    progress.meter = await meter.stateOf(world);
    await shards.collect(progress.step, checkpoints);
    collected = progress.step;
  };
  // Of the whole run: one process that is asked to stop stops all, at the same step.
  let stopping = (await world.sum(Float64Array.of(Number(signal.aborted))))[0]! > 0;
  let timeIsOver = progress.seconds >= limit;
  /** Why a hook ends training, in this process. */
  let stopReason: string | undefined;
  let stoppedByHook = false;
  const criterion = criterionOf(task, recipe);
  noteCriterion(progress, criterion.by, tracker);
  let evaluation: LoopResult["evaluation"];
  let fallback: Progress["best"];
  let lostBest = false;
  const evaluate = async () => {
    const result = await task.evaluate(progress.step, signal).catch((error: unknown) => {
      if (!(error instanceof Interrupted) && !(signal.aborted && error === signal.reason)) throw error;
    });
    if (!result) {
      stopping = true;
      return; // done when the run goes on
    }
    const { metrics } = result;
    evaluation = metrics;
    tracker.log(prefixed(metrics), progress.step);
    progress.evaluated = progress.step;
    const value = criterion.valueOf(result, progress.step);
    const better = criterion.isBetter(value, progress.best, recipe.early_stopping_threshold);
    progress.stale = better ? 0 : (progress.stale ?? 0) + 1;
    if (!criterion.isBetter(value, progress.best)) return;
    fallback = progress.best;
    const { by } = criterion;
    progress.best = { value, step: progress.step, metrics, ...(by !== undefined && { by }) };
    if (!writes) return;
    if (await saveBest(task, tracker)) return tracker.saved("best", join(output, "best"), progress.step);
    restoreBest(progress, fallback);
    lostBest = true; // which the others hear with the next update: they do not wait for the disk
  };

  module.train();
  const isDue = (every: number) => progress.step > 0 && progress.step % every === 0;
  if (isDue(recipe.eval_steps) && progress.evaluated !== progress.step) await evaluate();
  let began = performance.now();
  const clock = () => {
    const now = performance.now();
    const seconds = (now - began) / 1000;
    progress.seconds += seconds;
    began = now;
    return seconds;
  };
  let stepSeconds = 0;
  const hasStalled = () =>
    (progress.stale ?? 0) >= (recipe.early_stopping_patience ?? Number.POSITIVE_INFINITY);
  const hasTime = () => progress.step < recipe.max_steps && !timeIsOver && !stoppedByHook;
  /** What a step's hooks logged, until the run logs. */
  const logged: Record<string, number> = {};
  const context: StepContext = {
    get step() {
      return progress.step;
    },
    get epoch() {
      return progress.position.epoch;
    },
    module,
    optimizer,
    rank: world.rank,
    size: world.size,
    log: (metrics) => void Object.assign(logged, requireNumbers(metrics)),
    note: (text) => tracker.note(text),
    stop(reason) {
      stopReason ??= reason;
      if (world.size === 1) stoppedByHook = true;
    },
  };
  const isStopping = () => stopping || (world.size === 1 && signal.aborted);
  while (hasTime() && !hasStalled() && !isStopping()) {
    await task.beforeStep?.(context);
    optimizer.learningRate =
      task.learningRate?.(progress.step) ??
      recipe.optimizer.learning_rate * learningRateScale(progress.step, recipe.schedule, recipe.max_steps);
    task.anneal?.(progress.step);
    gradients.begin(idleOf(optimizer, task));

    for (let micro = 1; micro <= recipe.gradient_accumulation; micro++) {
      const batch = await meter.wait(batches.next());
      progress.position = batch.next;
      if (micro === recipe.gradient_accumulation) gradients.last();
      if (isEmpty(batch)) continue;
      seedBatch(recipe.seed, batch.place);
      scope(() => {
        const part = withPrecision(recipe, module.device, () => task.loss(batch));
        gradients.add(part.loss, part.count, batch.ids);
        meter.add(part);
      });
    }
    stepSeconds = clock();
    const said = [
      signal.aborted,
      writes && progress.seconds >= limit,
      lostBest,
      stopReason !== undefined,
    ].map(Number);
    lostBest = false;
    const { update, sums: votes } = await gradients.finish(progress.step + 1, said);
    meter.updated(update?.norm);
    if (update && task.beforeUpdate) {
      await task.beforeUpdate(context);
      const isLeftOut = update.skip !== undefined && update.skip.item() !== 0;
      if (!isLeftOut) requireFiniteGradients(optimizer, progress.step + 1);
    }
    if (update) await shards.step(update.skip);
    if (writes && recipe.histogram_steps && (progress.step + 1) % recipe.histogram_steps === 0)
      tracker.histograms(histogramsOf(module), progress.step + 1);
    optimizer.zeroGrad();
    stepsDone = ++progress.step;
    await task.afterStep?.(context);
    stepSeconds += clock();
    stopping ||= votes[0]! > 0;
    stoppedByHook ||= votes[3]! > 0;
    if (votes[2]! > 0 && !writes) restoreBest(progress, fallback);
    timeIsOver = votes[1]! > 0 || (world.size === 1 && progress.seconds >= limit);
    await turn(); // batches from memory never wait, and without a turn of the event loop Ctrl+C would not be noticed

    const logs = progress.step % recipe.logging_steps === 0 || progress.step === recipe.max_steps;
    const pauses = [recipe.eval_steps, recipe.save_steps].map(isDue);
    if (logs || pauses.includes(true)) gradients.requireFinite();
    if (logs) {
      const { sums, metrics, readings } = await meter.read(world, takeReadings?.());
      const state = { learning_rate: optimizer.learningRate, ...lossScale(gradients.scaler) };
      if (ownHooks.has("loss")) requireSums(sums, progress.step);
      tracker.log({ ...task.metrics(sums), ...logged, ...state, ...metrics }, progress.step);
      for (const name of Object.keys(logged)) delete logged[name];
      if (readings.length > 0) tracker.system(readings, progress.step);
    }
    if (pauses[0]) await evaluate();
    clock();
    if (pauses[1]) {
      await collect();
      await checkpoints?.save(progress);
    }
    if (pauses.includes(true)) meter.restart(); // speed is that of training alone
  }
  await batches.return?.();
  gradients.requireFinite();
  if (hasTime() && hasStalled()) tracker.tell(earlyStop(progress));
  if (stoppedByHook && progress.step < recipe.max_steps)
    tracker.tell(
      `Stopped at step ${progress.step} of ${recipe.max_steps}: ${stopReason ?? "another process asked for it"}.`,
    );
  if (progress.step < recipe.max_steps && timeIsOver)
    tracker.tell(
      `Stopped at step ${progress.step} of ${recipe.max_steps}: max_minutes (${recipe.max_minutes}) are over.`,
    );
  if (!isStopping() && progress.evaluated !== progress.step) await evaluate();
  if (collected !== progress.step) await collect();
  module.eval(); // as it is given back, to be used
  const complete = async () => checkpoints?.complete(progress.step, () => checkpoints.save(progress));
  if (isStopping()) {
    const asked = performance.now();
    await complete();
    const slow = slowStop(stepSeconds, (performance.now() - asked) / 1000);
    if (slow) tracker.note(slow);
    if (progress.step > 0)
      tracker.tell(`Interrupted after step ${progress.step}; the checkpoint is complete.`);
    return { steps: progress.step, best: progress.best, evaluation, interrupted: true };
  }
  const unsaved = await complete().catch((error: unknown) => error);
  if (writes) {
    await task.save("final"); // smaller: it may fit where the checkpoint did not
    tracker.saved("final", join(output, "final"), progress.step);
  }
  if (unsaved) throw unsaved;
  return { steps: progress.step, best: progress.best, evaluation, interrupted: false };
}

const ALL_HOOKS: ReadonlySet<string> = new Set(TASK_MEMBERS);

/** The best model so far counts no more where it was chosen by something else. */
function noteCriterion(progress: Progress, by: string | undefined, tracker: Tracker): void {
  if (!progress.best || progress.best.by === by) return;
  const named = (name: string | undefined) => name ?? "the validation's own criterion";
  tracker.note(
    `The best model is chosen by ${named(by)} from here on, and was by ${named(progress.best.by)} before: the next validation ` +
      "is the best so far.",
  );
  delete progress.best;
  progress.stale = 0;
}

/** @throws UserError where a hook logs something else than numbers */
function requireNumbers(metrics: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const problem = metricsProblem(metrics);
  if (problem !== undefined) throw new UserError(`What is given to log must ${problem}.`);
  return metrics;
}

/**
 * What hooks of one's own summed, once it is read from the device.
 *
 * @throws HookError where a sum is no number, or all batches together had no parts, so that nothing was trained
 */
function requireSums(sums: Readonly<Record<string, number>>, step: number): void {
  const bad = Object.keys(sums).find((name) => Number.isNaN(sums[name]));
  if (bad !== undefined)
    throw new HookError("loss", step, `must sum numbers, but ${bad} is NaN up to step ${step}`);
  if (sums.count === 0)
    throw new HookError(
      "loss",
      step,
      `must count parts, but counted 0 in all batches up to step ${step}: nothing was trained. Return the parts that the loss is a sum of`,
    );
}

/** Says where an update is of more or fewer batches than before. */
function noteBatches(progress: Progress, batchesAStep: number, tracker: Tracker): void {
  const before = progress.batchesAStep ?? batchesAStep;
  progress.batchesAStep = batchesAStep;
  if (before === batchesAStep) return;
  tracker.note(
    `An update is of ${batchesAStep} batches from here on (gradient_accumulation times processes), and was of ${before} ` +
      "before: rates and steps mean something else. Choose gradient_accumulation so that the product stays.",
  );
}

/** What a hook makes of gradients must not reach weights and checkpoints where it is no number. */
function requireFiniteGradients({ parameters }: optim.Optimizer, step: number): void {
  if (Number.isFinite(optim.clipGradNorm(parameters, Number.POSITIVE_INFINITY).item())) return;
  throw new HookError(
    "beforeUpdate",
    step,
    `left gradients of step ${step} that are not finite; no weight was changed by them`,
  );
}

/** @returns whether there was room for it */
async function saveBest<Batch extends TrainingBatch>(task: Task<Batch>, tracker: Tracker): Promise<boolean> {
  try {
    await task.save("best");
    return true;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    const reason = (error as Error).message.replace(/\.$/, "");
    tracker.note(`The best model so far could not be saved: ${reason}. Training goes on.`);
    return false;
  }
}

function restoreBest(progress: Progress, best: Progress["best"]): void {
  if (best) progress.best = best;
  else delete progress.best;
}

/** Parameters without a gradient in the update that comes: those that do not learn yet, and what the task leaves out. */
function* idleOf<Batch extends TrainingBatch>(
  optimizer: optim.Optimizer,
  task: Task<Batch>,
): Generator<Tensor> {
  for (const parameter of optimizer.parameters) if (!parameter.requiresGrad) yield parameter;
  yield* task.idle?.() ?? [];
}

function earlyStop({ step, stale, best }: Progress): string {
  const times = stale === 1 ? "validation was" : "validations in a row were";
  const since = best ? ` than that at step ${best.step}` : "";
  return `Stopped early at step ${step}: ${stale} ${times} no better${since}, as early_stopping_patience wants.`;
}

function resumption(step: number, { max_steps: steps }: PlannedRecipe): string {
  return step < steps
    ? `Resumed at step ${step} of ${steps}.`
    : `Nothing is left to do: the run is at step ${step}, and max_steps is ${steps}. Raise it to go on.`;
}

function lossScale(scaler: optim.GradScaler | undefined): Record<string, number> {
  return scaler ? { loss_scale: scaler.state().scale } : {};
}

function prefixed(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value]));
}
