import { empty, zeros } from "../operators.generated.js";
import type { Tensor } from "../tensor.js";

/** Fresh weights from N(mean, std^2). */
export function normal(shape: readonly number[], std: number, mean = 0): Tensor {
  return empty(shape).normal_(mean, std);
}

/** Fresh weights from U(low, high). */
export function uniform(shape: readonly number[], low: number, high: number): Tensor {
  return empty(shape).uniform_(low, high);
}

/** A tensor of one value, float32 (PyTorch's `full` would make an integer tensor of a whole number). */
export function full(shape: readonly number[], value: number): Tensor {
  return zeros(shape).fill_(value);
}

/** U(-b, b) with b = 1 / sqrt(fanIn): what PyTorch's Linear and Conv1d start from. */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  return uniform(shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}

/** He et al. 2015 (arXiv 1502.01852): N(0, 2 / fanIn), PyTorch's `kaiming_normal_`. */
export function kaimingNormal(shape: readonly number[], fanIn: number): Tensor {
  return normal(shape, Math.sqrt(2 / fanIn));
}
