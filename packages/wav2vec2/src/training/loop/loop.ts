import { setImmediate as turn } from "node:timers/promises";
import { type nn, type optim, scope, type Tensor } from "@wav2vec2/libtorch";
import type { BatchPosition } from "../../data/batches/batches.js";
import { type EmptyBatch, isEmpty } from "../../data/batches/load-batches.js";
import { requireFiniteWeights } from "../../recognition/finite-weights.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { PlannedRecipe } from "./batch-plan.js";
import { findCheckpoint, loadCheckpoint, type Progress } from "./checkpoint.js";
import { CheckpointWriter } from "./checkpoint-writer.js";
import { Gradients } from "./gradients.js";
import { Meter } from "./meter.js";
import { makeOptimizer } from "./optimizer.js";
import { withPrecision } from "./precision.js";
import { learningRateScale } from "./schedule.js";
import { slowStop } from "./slow-stop.js";

/** What the loop needs to know of one batch. */
export interface TrainingBatch {
  /** Utterance ids, for messages. */
  ids: readonly string[];
  /** Samples of audio at 16 kHz, without padding. */
  lengths: Int32Array;
  /** Where it stands in the plan of all batches. */
  place: BatchPosition;
  /** Where what comes behind it stands. */
  next: BatchPosition;
}

/** A batch's share of an update. */
export interface BatchLoss {
  /** A sum over `count` parts, such as masked frames; an update divides once by the parts of all its batches. */
  loss: Tensor;
  count: number;
  /** What else to add up for {@link Task.metrics}, scalars. */
  sums?: Readonly<Record<string, Tensor | number>>;
}

/** What differs between kinds of training. */
export interface Task<Batch extends TrainingBatch> {
  module: nn.Module;
  /** Tells the clips to train on from others: in a position, the batches of others are meant. */
  data: string;
  /** Endless batches from `position`, in an order that only the seed decides; each is valid until the next. */
  batches(position: BatchPosition): AsyncIterator<Batch | EmptyBatch>;
  /** Sets what depends on the step (0 is the first), such as temperatures. */
  anneal?(step: number): void;
  /** Called inside a scope. */
  loss(batch: Batch): BatchLoss;
  /** Metrics from the sums over all batches since they were last logged, the loss and its parts (`count`) among them. */
  metrics(sums: Readonly<Record<string, number>>): Record<string, number>;
  /**
   * Validates: metrics, and what the best model is chosen by: lower is better, infinite is never the best.
   *
   * @throws the signal's reason where it is aborted meanwhile
   */
  evaluate(
    step: number,
    signal: AbortSignal,
  ): Promise<{ metrics: Record<string, number>; criterion: number }>;
  /** Writes the model where people look for it. */
  save(kind: "best" | "final"): Promise<void>;
}

export interface LoopResult {
  steps: number;
  best: Progress["best"];
  /** Metrics of the newest validation, if there was one since the start. */
  evaluation: Record<string, number> | undefined;
  interrupted: boolean;
}

/**
 * The one training loop: next batches, loss, backward, scale and clip, step, log, evaluate, save.
 *
 * The device is waited for where something is logged, validated or saved, and in no other step (but for float16, see
 * `Gradients`): a loss that is not finite is told there, and has changed no weight until then.
 */
export async function train<Batch extends TrainingBatch>(
  recipe: PlannedRecipe,
  task: Task<Batch>,
  { resume, signal, tracker }: { resume: boolean; signal: AbortSignal; tracker: Tracker },
): Promise<LoopResult> {
  const { module } = task;
  const optimizer = makeOptimizer(module, recipe);
  const gradients = new Gradients(optimizer.parameters, recipe);
  const newest = resume ? await findCheckpoint(recipe.output, tracker.note) : undefined;
  const restored =
    newest === undefined ? undefined : await loadCheckpoint(recipe.output, newest, module, optimizer);
  const progress: Progress = restored ?? {
    step: 0,
    position: { epoch: 0, batch: 0 },
    data: task.data,
    seconds: 0,
    evaluated: -1,
  };
  if (restored) tracker.note(resumption(restored.step, recipe));
  else requireFiniteWeights(module);
  if (progress.lossScale) gradients.scaler?.loadState(progress.lossScale);
  if (progress.data !== task.data) {
    tracker.note("The clips to train on have changed since then: training goes on with a new epoch.");
    progress.position = { epoch: progress.position.epoch + 1, batch: 0 };
    progress.data = task.data;
  }
  const batches = task.batches(progress.position);
  const limit = (recipe.max_minutes ?? Number.POSITIVE_INFINITY) * 60;
  const meter = new Meter();
  if (progress.meter) meter.loadState(progress.meter);
  const { output, keep_checkpoints: keep } = recipe;
  const saving = { keep, step: progress.step, onNote: (text: string) => tracker.note(text) };
  await using checkpoints = new CheckpointWriter(output, module, optimizer, saving);
  const save = async () => {
    if (gradients.scaler) progress.lossScale = gradients.scaler.state();
    progress.meter = meter.state();
    await checkpoints.save(progress);
  };
  let evaluation: LoopResult["evaluation"];
  const evaluate = async () => {
    const result = await task.evaluate(progress.step, signal).catch((error: unknown) => {
      if (!signal.aborted || error !== signal.reason) throw error;
    });
    if (!result) return; // interrupted: done when the run goes on
    const { metrics, criterion } = result;
    evaluation = metrics;
    tracker.log(prefixed(metrics), progress.step);
    progress.evaluated = progress.step;
    const best = progress.best?.value ?? Number.POSITIVE_INFINITY;
    const better = criterion < best - (recipe.early_stopping_threshold ?? 0);
    progress.stale = better ? 0 : (progress.stale ?? 0) + 1;
    if (!(criterion < best)) return;
    progress.best = { value: criterion, step: progress.step };
    await task.save("best");
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
  const hasTime = () => progress.step < recipe.max_steps && progress.seconds < limit;
  while (hasTime() && !hasStalled() && !signal.aborted) {
    optimizer.learningRate =
      recipe.optimizer.learning_rate * learningRateScale(progress.step, recipe.schedule, recipe.max_steps);
    task.anneal?.(progress.step);

    for (let micro = 0; micro < recipe.gradient_accumulation; micro++) {
      const batch = await meter.wait(batches.next());
      progress.position = batch.next;
      if (isEmpty(batch)) continue;
      scope(() => {
        const part = withPrecision(recipe, module.device, () => task.loss(batch));
        gradients.add(part.loss, part.count, batch.ids);
        meter.add(part);
      });
    }
    scope(() => {
      const update = gradients.finish(progress.step + 1);
      meter.updated(update?.norm);
      if (update) optimizer.step(update.skip);
    });
    optimizer.zeroGrad();
    progress.step++;
    stepSeconds = clock();
    await turn(); // batches from memory never wait, and without a turn of the event loop Ctrl+C would not be heard

    const logs = progress.step % recipe.logging_steps === 0 || progress.step === recipe.max_steps;
    const pauses = [recipe.eval_steps, recipe.save_steps].map(isDue);
    if (logs || pauses.includes(true)) gradients.requireFinite();
    if (logs) {
      const { sums, metrics } = meter.read();
      const state = { learning_rate: optimizer.learningRate, ...lossScale(gradients.scaler) };
      tracker.log({ ...task.metrics(sums), ...state, ...metrics }, progress.step);
    }
    if (pauses[0]) await evaluate();
    clock();
    if (pauses[1]) await save();
    if (pauses.includes(true)) meter.restart(); // speed is that of training alone
  }
  await batches.return?.();
  gradients.requireFinite();
  if (hasTime() && hasStalled()) tracker.note(earlyStop(progress));
  if (progress.step < recipe.max_steps && progress.seconds >= limit)
    tracker.note(
      `Stopped at step ${progress.step} of ${recipe.max_steps}: max_minutes (${recipe.max_minutes}) are over.`,
    );
  if (!signal.aborted && progress.evaluated !== progress.step) await evaluate();
  if (signal.aborted) {
    const asked = performance.now();
    await checkpoints.complete(progress.step, save);
    const slow = slowStop(stepSeconds, (performance.now() - asked) / 1000);
    if (slow) tracker.note(slow);
    if (progress.step > 0)
      tracker.note(`Interrupted after step ${progress.step}; the checkpoint is complete.`);
    return { steps: progress.step, best: progress.best, evaluation, interrupted: true };
  }
  const unsaved = await checkpoints.complete(progress.step, save).catch((error: unknown) => error);
  await task.save("final"); // smaller: it may fit where the checkpoint did not
  if (unsaved) throw unsaved;
  return { steps: progress.step, best: progress.best, evaluation, interrupted: false };
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
