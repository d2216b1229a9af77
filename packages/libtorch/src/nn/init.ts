import { checkCount, checkFunction, checkSynchronous } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { empty, zeros } from "../operators/operators.generated.js";
import { handleOf, scope } from "../tensors/handles.js";
import type { Dtype, Tensor } from "../tensors/tensor.js";

/** Gives a tensor its values in place. */
type Fill = (tensor: Tensor) => void;

let isDeferred = false;
const fills = new WeakMap<Tensor, Fill>();

/**
 * Makes a module whose first weights are not computed yet, because a checkpoint is about to replace them: memory that
 * holds anything, and the knowledge how to fill it. `loadState` fills what its file does not have; without it, call
 * `fillDeferred` for every parameter.
 */
export function deferred<Made>(make: () => Made): Made {
  checkFunction("deferred", "make", make);
  const before = isDeferred;
  isDeferred = true;
  try {
    const made = make();
    checkSynchronous("deferred", made);
    return made;
  } finally {
    isDeferred = before;
  }
}

/** Computes a parameter's first values where `deferred` put that off; leaves all others alone. */
export function fillDeferred(parameter: Tensor): void {
  const fill = fills.get(parameter);
  if (!fill) return;
  fills.delete(parameter);
  noGrad(() => scope(() => fill(parameter)));
}

/** Says that a parameter has its values from elsewhere. */
export function forgetFill(parameter: Tensor): void {
  fills.delete(parameter);
}

/** A tensor with the values that `fill` gives it in place, now or, inside `deferred`, later. */
export function fresh(shape: readonly number[], fill: Fill, dtype: Dtype = "float32"): Tensor {
  checkFunction("fresh", "fill", fill);
  const tensor = empty(shape, { dtype });
  if (isDeferred) fills.set(tensor, fill);
  else fill(tensor);
  return tensor;
}

/** Hands what was put off for one tensor to the one that takes its place. */
export function inheritFill(from: Tensor, to: Tensor): void {
  const fill = fills.get(from);
  if (!fill) return;
  fills.delete(from);
  fills.set(to, fill);
}

/** A copy with memory of its own, whose values are put off where the original's are. */
export function copyOf(tensor: Tensor): Tensor {
  handleOf(tensor, "copyOf", "tensor");
  const fill = fills.get(tensor);
  return fill ? fresh(tensor.shape, fill, tensor.dtype) : tensor.clone();
}

/** Fresh weights from N(mean, std^2). */
export function normal(shape: readonly number[], std: number, mean = 0): Tensor {
  return fresh(shape, (tensor) => tensor.normal_(mean, std));
}

/** Fresh weights from U(low, high). */
export function uniform(shape: readonly number[], low: number, high: number): Tensor {
  return fresh(shape, (tensor) => tensor.uniform_(low, high));
}

/** A tensor of one value, float32 (PyTorch's `full` would make an integer tensor of a whole number). */
export function full(shape: readonly number[], value: number): Tensor {
  return zeros(shape).fill_(value);
}

/** U(-b, b) with b = 1 / sqrt(fanIn): what PyTorch's Linear and Conv1d start from. */
export function fanInUniform(shape: readonly number[], fanIn: number): Tensor {
  checkCount("fanInUniform", "fanIn", fanIn, 1);
  return uniform(shape, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}

/** He et al. 2015 (arXiv 1502.01852): N(0, 2 / fanIn), PyTorch's `kaiming_normal_`. */
export function kaimingNormal(shape: readonly number[], fanIn: number): Tensor {
  checkCount("kaimingNormal", "fanIn", fanIn, 1);
  return normal(shape, Math.sqrt(2 / fanIn));
}
