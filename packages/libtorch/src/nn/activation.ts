import { checkChoice } from "../arguments.js";
import type { Tensor } from "../tensors/tensor.js";

/** Activations under the names of Hugging Face's configurations; each keeps its input's shape. */
const ACTIVATIONS = {
  /** Hendrycks and Gimpel 2016 (arXiv 1606.08415): x times the Gaussian distribution function of x. */
  gelu: (x: Tensor) => x.gelu(),
  /** The same with a tanh in the distribution function's place. */
  gelu_new: (x: Tensor) => x.gelu({ approximate: "tanh" }),
  relu: (x: Tensor) => x.relu(),
  /** Also called swish: x sigmoid(x). */
  silu: (x: Tensor) => x.mul(x.sigmoid()),
} as const;

export type ActivationName = keyof typeof ACTIVATIONS;

/** A nonlinearity by its name. */
export function activation(name: ActivationName): (x: Tensor) => Tensor {
  checkChoice("activation", "name", name, Object.keys(ACTIVATIONS));
  return ACTIVATIONS[name];
}
