import { checkCount, checkNumber } from "../arguments.js";
import { argumentError } from "../errors.js";
import { groupNorm, layerNorm, ones, zeros } from "../operators/operators.generated.js";
import type { Tensor } from "../tensors/tensor.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

/** Ba et al. 2016 (arXiv 1607.06450): zero mean and unit variance over the last dimension, then scale and shift. */
export class LayerNorm extends Module {
  weight: Tensor;
  bias: Tensor;
  readonly #features: number;
  /** Added to the variance. */
  readonly eps: number;

  constructor(features: number, eps = 1e-5) {
    super();
    checkCount("LayerNorm", "features", features, 1);
    checkNumber("LayerNorm", "eps", eps, "[0, Infinity)");
    this.#features = features;
    this.eps = eps;
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
  }

  override extraRepr(): string {
    return `${this.#features}, eps=${this.eps}`;
  }

  /** [..., features] to [..., features] */
  forward(x: Tensor): Tensor {
    return layerNorm(x, [this.#features], this.weight, this.bias, this.eps);
  }
}

/** Wu and He 2018 (arXiv 1803.08494): normalises groups of channels over channel and time. */
export class GroupNorm extends Module {
  weight: Tensor;
  bias: Tensor;
  readonly #groups: number;
  /** Added to the variance. */
  readonly eps: number;

  constructor(groups: number, channels: number, eps = 1e-5) {
    super();
    checkCount("GroupNorm", "groups", groups, 1);
    checkCount("GroupNorm", "channels", channels, 1);
    checkNumber("GroupNorm", "eps", eps, "[0, Infinity)");
    if (channels % groups !== 0)
      throw argumentError("GroupNorm", `'groups' must divide ${channels} channels evenly, but is ${groups}`);
    this.#groups = groups;
    this.eps = eps;
    this.weight = parameter(ones([channels]));
    this.bias = parameter(zeros([channels]));
  }

  override extraRepr(): string {
    return `${this.#groups}, ${this.weight.shape[0]}, eps=${this.eps}`;
  }

  /** [batch, channels, time] to [batch, channels, time] */
  forward(x: Tensor): Tensor {
    return groupNorm(x, this.#groups, this.weight, this.bias, this.eps);
  }
}
