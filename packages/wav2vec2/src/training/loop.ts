import { setImmediate as turn } from "node:timers/promises";
import { autocast, type nn, noGrad, optim, scope, type Tensor } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import type { BatchPosition } from "../data/batches/batches.js";
import { UserError } from "../errors.js";
import type { Tracker } from "../tracking/tracker.js";
import { loadCheckpoint, type Progress, saveCheckpoint } from "./checkpoint.js";
import { requireFiniteWeights } from "./finite-weights.js";
import type { Recipe } from "./recipe.js";
import { learningRateScale } from "./schedule.js";

/** What the loop needs to know of one batch. */
export interface TrainingBatch {
  /** Utterance ids, for messages. */
  ids: readonly string[];
  /** Samples of audio at 16 kHz, without padding. */
  lengths: Int32Array;
  /** Where the batch behind it stands. */
  next: BatchPosition;
}

/** What differs between kinds of training. */
export interface Task<Batch extends TrainingBatch> {
  module: nn.Module;
  /** Tells the clips to train on from others: in a position, the batches of others are meant. */
  data: string;
  /** Endless batches from `position`, in an order that only the seed decides; each is valid until the next. */
  batches(position: BatchPosition): AsyncIterator<Batch>;
  /** The loss of one batch, a scalar; called inside a scope. */
  loss(batch: Batch): Tensor;
  /** Validates: metrics, and the one by which the best model is chosen (lower is better). */
  evaluate(step: number): Promise<{ metrics: Record<string, number>; criterion: number }>;
  /** Writes the model where people look for it. */
  save(kind: "best" | "final"): Promise<void>;
}

export interface LoopResult {
  steps: number;
  best: Progress["best"];
  interrupted: boolean;
}

/** The one training loop: next batches, loss, backward, clip, step, log, evaluate, save. */
export async function train<Batch extends TrainingBatch>(
  recipe: Recipe,
  task: Task<Batch>,
  { resume, signal, tracker }: { resume: boolean; signal: AbortSignal; tracker: Tracker },
): Promise<LoopResult> {
  const { module } = task;
  const optimizer = makeOptimizer(module, recipe);
  const restored = resume ? await loadCheckpoint(recipe.output, module, optimizer) : undefined;
  const progress: Progress = restored ?? {
    step: 0,
    position: { epoch: 0, batch: 0 },
    data: task.data,
    seconds: 0,
    evaluated: -1,
  };
  if (restored) tracker.note(`Resumed at step ${restored.step} of ${recipe.max_steps}.`);
  if (progress.data !== task.data) {
    tracker.note("The clips to train on have changed since then: training goes on with a new epoch.");
    progress.position = { epoch: progress.position.epoch + 1, batch: 0 };
    progress.data = task.data;
  }
  const batches = task.batches(progress.position);
  const limit = (recipe.max_minutes ?? Number.POSITIVE_INFINITY) * 60;
  const meter = new Meter();
  let saved = progress.step;

  const save = async () => {
    await saveCheckpoint(recipe.output, module, optimizer, progress, recipe.keep_checkpoints);
    saved = progress.step;
  };
  const evaluate = async () => {
    const { metrics, criterion } = await task.evaluate(progress.step);
    tracker.log(prefixed(metrics), progress.step);
    progress.evaluated = progress.step;
    if (progress.best && criterion >= progress.best.value) return;
    progress.best = { value: criterion, step: progress.step };
    await task.save("best");
  };

  module.train();
  let began = performance.now();
  const clock = () => {
    const now = performance.now();
    progress.seconds += (now - began) / 1000;
    began = now;
  };
  while (progress.step < recipe.max_steps && progress.seconds < limit && !signal.aborted) {
    const learningRate =
      recipe.optimizer.learning_rate * learningRateScale(progress.step, recipe.schedule, recipe.max_steps);
    optimizer.learningRate = learningRate;

    const ids: string[] = [];
    let loss = 0;
    for (let micro = 0; micro < recipe.gradient_accumulation; micro++) {
      const waiting = performance.now();
      const { value: batch } = (await batches.next()) as { value: Batch };
      meter.waited(performance.now() - waiting);
      ids.push(...batch.ids);
      meter.heard(batch.lengths);
      progress.position = batch.next;
      loss += scope(() => {
        const enabled = recipe.precision !== "float32";
        const value = autocast({ dtype: "bfloat16", enabled }, () => task.loss(batch));
        backward(value, optimizer.parameters, recipe);
        return value.item() / recipe.gradient_accumulation;
      });
    }
    if (progress.step === 0 && !Number.isFinite(loss)) requireFiniteWeights(module); // no fault of the learning rate
    requireFinite("loss", loss, progress.step + 1, ids);
    const gradNorm = optim.clipGradNorm(optimizer.parameters, recipe.optimizer.max_grad_norm);
    requireFinite("gradient norm", gradNorm, progress.step + 1, ids);
    optimizer.step();
    optimizer.zeroGrad();
    progress.step++;
    clock();
    await turn(); // batches from memory never wait, and without a turn of the event loop Ctrl+C would not be heard

    if (progress.step % recipe.logging_steps === 0 || progress.step === recipe.max_steps) {
      tracker.log({ loss, learning_rate: learningRate, grad_norm: gradNorm, ...meter.read() }, progress.step);
    }
    const pauses = [recipe.eval_steps, recipe.save_steps].map((every) => progress.step % every === 0);
    if (pauses[0]) await evaluate();
    clock();
    if (pauses[1]) await save();
    if (pauses.includes(true)) meter.restart(); // speed is that of training alone
  }
  await batches.return?.();
  if (signal.aborted) {
    if (saved !== progress.step) await save();
    if (progress.step > 0)
      tracker.note(`Interrupted after step ${progress.step}; the checkpoint is complete.`);
    return { steps: progress.step, best: progress.best, interrupted: true };
  }
  if (progress.evaluated !== progress.step) await evaluate();
  if (saved !== progress.step) await save();
  await task.save("final");
  return { steps: progress.step, best: progress.best, interrupted: false };
}

/** Adds a batch's share of the step's gradient. */
function backward(loss: Tensor, parameters: readonly Tensor[], recipe: Recipe): void {
  const { gradient_accumulation: batches, gradient_scaling: scaling } = recipe;
  const once = scaling === "once";
  (once ? loss.div(batches) : loss).backward();
  if (once) return;
  noGrad(() => {
    for (const { grad } of parameters) grad?.div_(batches);
  });
}

/** AdamW over what is trained; biases, norms and other vectors are not decayed. */
function makeOptimizer(module: nn.Module, { optimizer }: Recipe): optim.AdamW {
  const trained = module.parameters().filter((tensor) => tensor.requiresGrad);
  const matrices = trained.filter((tensor) => tensor.shape.length > 1);
  const vectors = trained.filter((tensor) => tensor.shape.length <= 1);
  const groups = [{ parameters: matrices }, { parameters: vectors, weightDecay: 0 }];
  return new optim.AdamW(groups, {
    learningRate: optimizer.learning_rate,
    betas: optimizer.betas,
    eps: optimizer.eps,
    weightDecay: optimizer.weight_decay,
  });
}

/** Stops before the optimiser step, so that the last checkpoint stays good. */
function requireFinite(what: string, value: number, step: number, ids: readonly string[]): void {
  if (Number.isFinite(value)) return;
  throw new UserError(
    `The ${what} of step ${step} must be finite, but is ${value}. The weights were not changed. Lower ` +
      `optimizer.learning_rate or look at these utterances: ${ids.join(", ")}.`,
  );
}

function prefixed(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [`eval/${name}`, value]));
}

/** Speed, waiting and memory since the last reading. */
class Meter {
  #samples = 0;
  #batches = 0;
  #waitedMs = 0;
  #since = performance.now();

  heard(lengths: Int32Array): void {
    this.#samples += lengths.reduce((sum, length) => sum + length, 0);
    this.#batches++;
  }

  waited(milliseconds: number): void {
    this.#waitedMs += milliseconds;
  }

  read(): Record<string, number> {
    const elapsed = performance.now() - this.#since;
    const seconds = this.#samples / SAMPLE_RATE;
    const metrics = {
      audio_seconds: seconds / Math.max(1, this.#batches),
      audio_seconds_per_second: seconds / (elapsed / 1000),
      data_wait_share: this.#waitedMs / elapsed,
      memory_mb: process.memoryUsage.rss() / 2 ** 20,
    };
    this.restart();
    return metrics;
  }

  restart(): void {
    this.#samples = this.#batches = this.#waitedMs = 0;
    this.#since = performance.now();
  }
}
