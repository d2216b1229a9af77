import { checkBoolean, checkCount, checkOptions } from "../arguments.js";
import { linear } from "../operators/operators.generated.js";
import type { Tensor } from "../tensors/tensor.js";
import { fanInUniform } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

/** y = x W^T + b. `weight` [outFeatures, inFeatures], `bias` [outFeatures]. */
export class Linear extends Module {
  weight: Tensor;
  bias: Tensor | undefined;

  /** @param options.bias true when left out */
  constructor(inFeatures: number, outFeatures: number, options: { bias?: boolean | undefined } = {}) {
    super();
    checkCount("Linear", "inFeatures", inFeatures, 1);
    checkCount("Linear", "outFeatures", outFeatures, 1);
    checkOptions("Linear", options, ["bias"]);
    const { bias = true } = options;
    checkBoolean("Linear", "bias", bias);
    this.weight = parameter(fanInUniform([outFeatures, inFeatures], inFeatures));
    this.bias = bias ? parameter(fanInUniform([outFeatures], inFeatures)) : undefined;
  }

  override extraRepr(): string {
    const [outFeatures, inFeatures] = this.weight.shape;
    return `${inFeatures}, ${outFeatures}, bias=${this.bias !== undefined}`;
  }

  /** [..., inFeatures] to [..., outFeatures] */
  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
