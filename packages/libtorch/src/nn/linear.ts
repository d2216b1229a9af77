import { linear } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";
import { fanInUniform } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

/** y = x W^T + b. `weight` [outFeatures, inFeatures], `bias` [outFeatures]. */
export class Linear extends Module {
  weight: Tensor;
  bias: Tensor | undefined;

  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean } = {}) {
    super();
    this.weight = parameter(fanInUniform([outFeatures, inFeatures], inFeatures));
    this.bias = options.bias === false ? undefined : parameter(fanInUniform([outFeatures], inFeatures));
  }

  /** [..., inFeatures] to [..., outFeatures] */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
