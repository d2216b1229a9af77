import { checkCount, checkNumber, checkOptions } from "../../arguments.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

export interface StepLROptions {
  /** Steps after which the rate falls. */
  stepSize: number;
  /** Multiplied with the rate then; 0.1 when left out. */
  gamma?: number | undefined;
}

/** Multiplies the learning rate with `gamma` every `stepSize` steps (PyTorch: `StepLR`). */
export class StepLR extends LRScheduler {
  readonly #stepSize: number;
  readonly #gamma: number;

  constructor(optimizer: Optimizer, options: StepLROptions) {
    super(optimizer);
    checkOptions("StepLR", options, ["stepSize", "gamma"], ["stepSize"]);
    const { stepSize, gamma = 0.1 } = options;
    checkCount("StepLR", "stepSize", stepSize, 1);
    checkNumber("StepLR", "gamma", gamma, "[0, Infinity)");
    this.#stepSize = stepSize;
    this.#gamma = gamma;
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    return this.baseLearningRate * this.#gamma ** Math.floor(epoch / this.#stepSize);
  }
}
