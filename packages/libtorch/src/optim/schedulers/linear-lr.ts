import { checkCount, checkNumber, checkOptions } from "../../arguments.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

export interface LinearLROptions {
  /** Multiplied with the rate at the beginning, above 0 and at most 1; 1/3 when left out. */
  startFactor?: number | undefined;
  /** Multiplied with the rate after `totalIters` steps, 0 to 1; 1 when left out. */
  endFactor?: number | undefined;
  /** Steps from the first factor to the second; 5 when left out. */
  totalIters?: number | undefined;
}

/** The learning rate times a factor that changes evenly from one to another: a warm-up (PyTorch: `LinearLR`). */
export class LinearLR extends LRScheduler {
  readonly #startFactor: number;
  readonly #endFactor: number;
  readonly #totalIters: number;

  constructor(optimizer: Optimizer, options: LinearLROptions = {}) {
    super(optimizer);
    checkOptions("LinearLR", options, ["startFactor", "endFactor", "totalIters"]);
    const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
    checkNumber("LinearLR", "startFactor", startFactor, "(0, 1]");
    checkNumber("LinearLR", "endFactor", endFactor, "[0, 1]");
    checkCount("LinearLR", "totalIters", totalIters, 1);
    this.#startFactor = startFactor;
    this.#endFactor = endFactor;
    this.#totalIters = totalIters;
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    const share = Math.min(epoch, this.#totalIters) / this.#totalIters;
    return this.baseLearningRate * (this.#startFactor + (this.#endFactor - this.#startFactor) * share);
  }
}
