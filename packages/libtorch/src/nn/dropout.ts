import { checkNumber } from "../arguments.js";
import { dropout } from "../fast/dropout.js";
import type { Tensor } from "../tensors/tensor.js";
import { Module } from "./module.js";

/** Zeroes elements with probability p in training and scales the others by 1 / (1 - p). */
export class Dropout extends Module {
  readonly #p: number;

  constructor(p: number) {
    super();
    checkNumber("Dropout", "p", p, "[0, 1]");
    this.#p = p;
  }

  override extraRepr(): string {
    return `p=${this.#p}`;
  }

  forward(x: Tensor): Tensor {
    return this.training && this.#p > 0 ? dropout(x, this.#p) : x;
  }
}
