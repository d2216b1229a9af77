import { checkCount, checkNumber, checkOptions } from "../../arguments.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

export interface CosineAnnealingLROptions {
  /** Steps until the rate is lowest; after them it rises again. PyTorch: `T_max`. */
  tMax: number;
  /** The lowest rate; 0 when left out. */
  etaMin?: number | undefined;
}

/**
 * The learning rate along a cosine, without restarts (Loshchilov and Hutter 2017, arXiv 1608.03983; PyTorch:
 * `CosineAnnealingLR`).
 */
export class CosineAnnealingLR extends LRScheduler {
  readonly #tMax: number;
  readonly #etaMin: number;

  constructor(optimizer: Optimizer, options: CosineAnnealingLROptions) {
    super(optimizer);
    checkOptions("CosineAnnealingLR", options, ["tMax", "etaMin"], ["tMax"]);
    const { tMax, etaMin = 0 } = options;
    checkCount("CosineAnnealingLR", "tMax", tMax, 1);
    checkNumber("CosineAnnealingLR", "etaMin", etaMin, "[0, Infinity)");
    this.#tMax = tMax;
    this.#etaMin = etaMin;
    this.stepTo(0);
  }

  learningRateAt(epoch: number): number {
    const share = (1 + Math.cos((Math.PI * epoch) / this.#tMax)) / 2;
    return this.#etaMin + (this.baseLearningRate - this.#etaMin) * share;
  }
}
