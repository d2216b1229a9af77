import { conv1d } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";
import { fanInUniform } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

export interface Conv1dOptions {
  stride?: number;
  padding?: number;
  groups?: number;
  bias?: boolean;
}

/** Convolution over time. `weight` [outChannels, inChannels / groups, kernel], `bias` [outChannels]. */
export class Conv1d extends Module {
  weight: Tensor;
  bias: Tensor | undefined;
  readonly #stride: number;
  readonly #padding: number;
  readonly #groups: number;

  constructor(inChannels: number, outChannels: number, kernel: number, options: Conv1dOptions = {}) {
    super();
    this.#stride = options.stride ?? 1;
    this.#padding = options.padding ?? 0;
    this.#groups = options.groups ?? 1;
    const fanIn = (inChannels / this.#groups) * kernel;
    this.weight = parameter(fanInUniform([outChannels, inChannels / this.#groups, kernel], fanIn));
    this.bias = options.bias === false ? undefined : parameter(fanInUniform([outChannels], fanIn));
  }

  /** [batch, inChannels, time] to [batch, outChannels, floor((time + 2 padding - kernel) / stride) + 1] */
  forward(x: Tensor): Tensor {
    return conv1d(x, this.weight, this.bias, this.#stride, this.#padding, 1, this.#groups);
  }
}
