import { checkFunction } from "./arguments.js";
import { native } from "./native.js";
import { handleOf, handlesOf, insideNativeScope, wrap, wrapAll } from "./tensors/handles.js";
import type { Tensor } from "./tensors/tensor.js";

/**
 * Computes `body(...inputs)` without keeping what is in between; the backward pass computes it again, with the same
 * random numbers and the same autocast (PyTorch: `torch.utils.checkpoint.checkpoint`, reentrant; Chen et al. 2016,
 * arXiv 1604.06174). Costs a second forward pass of `body`, saves its memory. Where no input requires a gradient,
 * `body` is recorded as usual.
 *
 * Tensors that `body` makes are freed when it ends, except its result. Other tensors than parameters belong among the
 * `inputs`: what the closure refers to may be freed before the backward pass.
 *
 * The backward pass must be `backward()` without `createGraph`. An error of `body` arrives there as it is.
 */
export function checkpoint(body: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor {
  checkFunction("checkpoint", "body", body);
  const compute = (...handles: number[]) =>
    insideNativeScope(() => handleOf(body(...wrapAll(handles)), "checkpoint", "the result of body"));
  const handle = native.checkpoint(compute, handlesOf(inputs, "checkpoint", "inputs") as number[]);
  return handle === undefined ? body(...inputs) : wrap(handle);
}
