import { checkFunction } from "../../arguments.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

/** The learning rate times what a function says of the number of steps so far (PyTorch: `LambdaLR`). */
export class LambdaLR extends LRScheduler {
  readonly #factor: (epoch: number) => number;

  /** @param factor for example `(epoch) => 0.95 ** epoch`; not part of the state */
  constructor(optimizer: Optimizer, factor: (epoch: number) => number) {
    super(optimizer);
    checkFunction("LambdaLR", "factor", factor);
    this.#factor = factor;
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    return this.baseLearningRate * this.#factor(epoch);
  }
}
