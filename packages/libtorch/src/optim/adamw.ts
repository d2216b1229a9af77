import type { Tensor } from "../tensors/tensor.js";
import { Adam, type AdamOptions } from "./adam.js";
import type { ParameterGroup, ParameterUpdate } from "./optimizer.js";

/**
 * Loshchilov and Hutter 2019 (arXiv 1711.05101), computed as PyTorch's `torch.optim.AdamW`: in each step weights are
 * multiplied with 1 - learning rate x `weightDecay`, which is 0.01 when left out.
 */
export class AdamW extends Adam {
  override readonly name: string = "AdamW";

  constructor(parameters: readonly Tensor[] | readonly ParameterGroup[], options: AdamOptions) {
    super(parameters, options, 0.01);
  }

  protected override get isAsBuilt(): boolean {
    return this.constructor === AdamW;
  }

  protected override get isDecoupled(): boolean {
    return true;
  }

  protected override decay({
    parameter,
    gradient,
    learningRate,
    weightDecay,
    unless,
  }: ParameterUpdate): Tensor {
    if (weightDecay !== 0) parameter.mul_(unless(1 - learningRate * weightDecay, 1));
    return gradient;
  }
}
