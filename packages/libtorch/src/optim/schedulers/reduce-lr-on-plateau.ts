import { checkChoice, checkCount, checkNumber, checkOptions, describe } from "../../arguments.js";
import { argumentError, stateError } from "../../errors.js";
import type { Optimizer } from "../optimizer.js";
import { requireOptimizer, requireState } from "./scheduler.js";

export interface ReduceLROnPlateauOptions {
  /** Whether a lower ("min") or a higher ("max") metric is better; "min" when left out. */
  mode?: "min" | "max" | undefined;
  /** Multiplied with the rate, below 1; 0.1 when left out. */
  factor?: number | undefined;
  /** Steps in a row without a better metric that are let pass; 10 when left out. */
  patience?: number | undefined;
  /** By how much a metric must be better to count; 1e-4 when left out. */
  threshold?: number | undefined;
  /** Whether `threshold` is a share of the best metric ("rel") or a difference from it ("abs"); "rel" when left out. */
  thresholdMode?: "rel" | "abs" | undefined;
  /** Steps after a change in which nothing is counted; 0 when left out. */
  cooldown?: number | undefined;
  /** The rate does not fall below; 0 when left out. PyTorch: `min_lr`. */
  minLearningRate?: number | undefined;
  /** Changes of the rate that are not larger are left out; 1e-8 when left out. */
  eps?: number | undefined;
}

/** Plain JSON. */
export interface PlateauState {
  lastEpoch: number;
  lastLearningRate: number;
  /** The best metric so far; null before the first. */
  best: number | null;
  numBadEpochs: number;
  cooldownCounter: number;
}

const OPTION_KEYS = [
  "mode",
  "factor",
  "patience",
  "threshold",
  "thresholdMode",
  "cooldown",
  "minLearningRate",
  "eps",
];

/**
 * Lowers the learning rate when a metric has stopped improving (PyTorch: `ReduceLROnPlateau`):
 *
 *     scheduler.step(validationLoss);
 */
export class ReduceLROnPlateau {
  readonly optimizer: Optimizer;
  readonly #options: {
    [Name in keyof ReduceLROnPlateauOptions]-?: NonNullable<ReduceLROnPlateauOptions[Name]>;
  };
  #best: number | undefined;
  #numBadEpochs = 0;
  #cooldownCounter = 0;
  #lastEpoch = 0;

  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    const kind = "ReduceLROnPlateau";
    requireOptimizer(kind, optimizer);
    checkOptions(kind, options, OPTION_KEYS);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLearningRate = 0, eps = 1e-8 } = options;
    checkChoice(kind, "mode", mode, ["min", "max"]);
    checkNumber(kind, "factor", factor, "[0, 1)");
    checkCount(kind, "patience", patience);
    checkNumber(kind, "threshold", threshold, "[0, Infinity)");
    checkChoice(kind, "thresholdMode", thresholdMode, ["rel", "abs"]);
    checkCount(kind, "cooldown", cooldown);
    checkNumber(kind, "minLearningRate", minLearningRate, "[0, Infinity)");
    checkNumber(kind, "eps", eps, "[0, Infinity)");
    this.optimizer = optimizer;
    this.#options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLearningRate, eps };
  }

  /** The optimiser's learning rate. */
  get lastLearningRate(): number {
    return this.optimizer.learningRate;
  }

  /** @param metric of now, for example the loss on validation data; NaN is better than nothing else */
  step(metric: number): void {
    if (typeof metric !== "number")
      throw argumentError("ReduceLROnPlateau", `'metric' must be a number, but is ${describe(metric)}`);
    const { factor, patience, cooldown, minLearningRate, eps } = this.#options;
    this.#lastEpoch++;
    if (this.#isBetter(metric)) {
      this.#best = metric;
      this.#numBadEpochs = 0;
    } else this.#numBadEpochs++;
    if (this.#cooldownCounter > 0) {
      this.#cooldownCounter--;
      this.#numBadEpochs = 0;
    }
    if (this.#numBadEpochs <= patience) return;
    const before = this.optimizer.learningRate;
    const rate = Math.max(before * factor, minLearningRate);
    if (before - rate > eps) this.optimizer.learningRate = rate;
    this.#cooldownCounter = cooldown;
    this.#numBadEpochs = 0;
  }

  #isBetter(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.#options;
    if (this.#best === undefined) return !Number.isNaN(metric);
    const sign = mode === "min" ? -1 : 1;
    const bound =
      thresholdMode === "rel" ? this.#best * (1 + sign * threshold) : this.#best + sign * threshold;
    return mode === "min" ? metric < bound : metric > bound;
  }

  stateDict(): PlateauState {
    return {
      lastEpoch: this.#lastEpoch,
      lastLearningRate: this.optimizer.learningRate,
      best: this.#best ?? null,
      numBadEpochs: this.#numBadEpochs,
      cooldownCounter: this.#cooldownCounter,
    };
  }

  /**
   * Goes on from `stateDict`, also of JSON, and sets the learning rate of then.
   *
   * @throws TorchError when the state is none of this schedule; nothing is changed then
   */
  loadStateDict(state: PlateauState): void {
    requireState("ReduceLROnPlateau", state, ["lastLearningRate", "numBadEpochs", "cooldownCounter"]);
    if (state.best !== null && typeof state.best !== "number")
      throw stateError(
        "ReduceLROnPlateau",
        `the state's best must be a number or null, but is ${describe(state.best)}`,
      );
    this.#lastEpoch = state.lastEpoch;
    this.#best = state.best ?? undefined;
    this.#numBadEpochs = state.numBadEpochs;
    this.#cooldownCounter = state.cooldownCounter;
    this.optimizer.learningRate = state.lastLearningRate;
  }
}
