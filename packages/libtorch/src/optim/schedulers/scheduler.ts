import { checkCount, checkNumber, describe } from "../../arguments.js";
import { argumentError, stateError } from "../../errors.js";
import { Optimizer } from "../optimizer.js";

/** What a schedule needs to go on; plain JSON. */
export interface SchedulerState {
  /** Steps of the schedule so far. */
  lastEpoch: number;
  /** The learning rate that the schedule's factors are of. */
  baseLearningRate: number;
  /** The learning rate that the schedule set last. */
  lastLearningRate: number;
}

/** The rates before any schedule: a second schedule of an optimiser begins from it too (PyTorch: `initial_lr`). */
const initialRates = new WeakMap<Optimizer, number>();

/** The learning rate that an optimiser had before its first schedule. */
export function initialLearningRate(optimizer: Optimizer): number {
  const known = initialRates.get(optimizer) ?? optimizer.learningRate;
  initialRates.set(optimizer, known);
  return known;
}

/** @throws TorchError where it is none */
export function requireOptimizer(kind: string, optimizer: unknown): void {
  if (optimizer instanceof Optimizer) return;
  throw argumentError(kind, `'optimizer' must be an Optimizer such as AdamW, but is ${describe(optimizer)}`);
}

/**
 * The base of schedules: sets `optimizer.learningRate` when it is made, and again after each step of the optimiser.
 *
 *     const scheduler = new optim.lrScheduler.StepLR(optimizer, { stepSize: 10 });
 *     optimizer.step();
 *     scheduler.step();
 *
 * Rates are computed from the number of steps alone, where PyTorch multiplies the rate before: they may differ in the last
 * digits. A group's own rate is its `learningRateScale` times this one.
 */
export abstract class LRScheduler {
  readonly optimizer: Optimizer;
  #baseLearningRate: number;
  #lastEpoch = 0;
  #lastLearningRate: number;

  constructor(optimizer: Optimizer) {
    requireOptimizer(new.target.name, optimizer);
    this.optimizer = optimizer;
    this.#baseLearningRate = initialLearningRate(optimizer);
    this.#lastLearningRate = this.#baseLearningRate;
  }

  /** The learning rate after so many steps of the schedule. */
  abstract learningRateAt(epoch: number): number;

  /** The optimiser's learning rate before any schedule. */
  get baseLearningRate(): number {
    return this.#baseLearningRate;
  }

  /** Steps so far (PyTorch: `last_epoch`). */
  get lastEpoch(): number {
    return this.#lastEpoch;
  }

  /** The learning rate that was set last (PyTorch: `get_last_lr`). */
  get lastLearningRate(): number {
    return this.#lastLearningRate;
  }

  /** Sets the learning rate of the next step. */
  step(): void {
    this.stepTo(this.#lastEpoch + 1);
  }

  /** Sets the learning rate of a given step; a schedule's constructor calls it with 0. */
  stepTo(epoch: number): void {
    const kind = this.constructor.name;
    checkCount(kind, "epoch", epoch);
    const rate: unknown = this.learningRateAt(epoch);
    checkNumber(kind, `the learning rate of step ${epoch}`, rate, "[0, Infinity)");
    this.#lastEpoch = epoch;
    this.#lastLearningRate = rate;
    this.optimizer.learningRate = rate;
  }

  stateDict(): SchedulerState {
    return {
      lastEpoch: this.#lastEpoch,
      baseLearningRate: this.#baseLearningRate,
      lastLearningRate: this.#lastLearningRate,
    };
  }

  /**
   * Goes on from `stateDict`, also of JSON, and sets the learning rate of then.
   *
   * @throws TorchError when the state is none of a schedule; nothing is changed then
   */
  loadStateDict(state: SchedulerState): void {
    requireState(this.constructor.name, state, ["baseLearningRate", "lastLearningRate"]);
    this.#lastEpoch = state.lastEpoch;
    this.#baseLearningRate = state.baseLearningRate;
    this.#lastLearningRate = state.lastLearningRate;
    this.optimizer.learningRate = state.lastLearningRate;
    initialRates.set(this.optimizer, state.baseLearningRate);
  }
}

/** @throws TorchError unless a state has a count `lastEpoch` and rates under these names */
export function requireState(kind: string, state: unknown, rates: readonly string[]): void {
  const values = typeof state === "object" && state !== null ? (state as Record<string, unknown>) : {};
  const isRate = (value: unknown) => typeof value === "number" && value >= 0 && Number.isFinite(value);
  const { lastEpoch } = values;
  if (
    Number.isSafeInteger(lastEpoch) &&
    (lastEpoch as number) >= 0 &&
    rates.every((name) => isRate(values[name]))
  )
    return;
  throw stateError(
    kind,
    `the state must hold a count lastEpoch and the numbers ${rates.join(", ")}, as stateDict returns it, but is ` +
      describe(state),
  );
}
