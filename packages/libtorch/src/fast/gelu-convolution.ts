import { checkCount, describe } from "../arguments.js";
import { isGradEnabled } from "../autograd.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { handleOf, wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { autocastDtypeOnCpu, lieInFloat32OnCpu } from "./on-cpu.js";

/**
 * Whether {@link geluConvolution} is made for these: float32 on the CPU, also under autocast to bfloat16, and no gradient wanted
 * of the samples.
 */
export function takesGeluConvolution(x: Tensor, weight: Tensor): boolean {
  handleOf(x, "takesGeluConvolution", "x");
  handleOf(weight, "takesGeluConvolution", "weight");
  const isKnown = [undefined, "bfloat16"].includes(autocastDtypeOnCpu());
  return lieInFloat32OnCpu(x, weight) && isKnown && !(isGradEnabled() && x.requiresGrad);
}

/**
 * GELU of a convolution of one channel, each clip with its own weights. What lies before GELU is not kept but computed again
 * in the backward pass: of a first layer on a waveform it is the largest tensor, and one of the cheapest. Under autocast it is
 * computed in float32, and written in autocast's type.
 *
 * @param x [batch, samples]
 * @param weight [batch, channels, kernel]
 * @param bias [batch, channels]
 * @param frames each clip's own frames; 0 behind them
 * @returns [batch, floor((samples - kernel) / stride) + 1, channels]
 * @throws TorchError where shapes, types or counts are others
 */
export function geluConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  frames: readonly number[],
  stride: number,
): Tensor {
  const handles = [
    handleOf(x, "geluConvolution", "x"),
    handleOf(weight, "geluConvolution", "weight"),
    handleOf(bias, "geluConvolution", "bias"),
  ] as const;
  if (!Array.isArray(frames))
    throw argumentError(
      "geluConvolution",
      `'frames' must be an array of numbers, but is ${describe(frames)}`,
    );
  for (const count of frames) checkCount("geluConvolution", "frames", count);
  checkCount("geluConvolution", "stride", stride, 1);
  return wrap(native.fastGeluConvolution(...handles, frames, stride, autocastDtypeOnCpu() ?? "float32"));
}
