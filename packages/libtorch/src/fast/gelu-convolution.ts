import { isGradEnabled } from "../autograd.js";
import { wrap } from "../handles.js";
import { native } from "../native.js";
import type { Tensor } from "../tensor.js";
import { isFloat32OnCpu } from "./is-plain.js";

/** Whether {@link geluConvolution} is made for these: float32 on the CPU, and no gradient wanted of the samples. */
export function takesGeluConvolution(x: Tensor, weight: Tensor): boolean {
  return isFloat32OnCpu(x, weight) && !(isGradEnabled() && x.requiresGrad);
}

/**
 * GELU of a convolution of one channel, each clip with its own weights. What lies before GELU is not kept but computed again
 * in the backward pass: of a first layer on a waveform it is the largest tensor, and one of the cheapest.
 *
 * @param x [batch, samples]
 * @param weight [batch, channels, kernel]
 * @param bias [batch, channels]
 * @param frames each clip's own frames; 0 behind them
 * @returns [batch, channels, floor((samples - kernel) / stride) + 1]
 */
export function geluConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  frames: readonly number[],
  stride: number,
): Tensor {
  return wrap(native.fastGeluConvolution(x.handle, weight.handle, bias.handle, frames, stride));
}
