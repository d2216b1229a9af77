import { checkCount } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { weightNorm } from "../operators/operators.generated.js";
import { handleOf } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { copyOf, fillDeferred, fresh } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

/**
 * Salimans and Kingma 2016 (arXiv 1602.07868): a weight as magnitude times direction, w = g v / |v|, with one
 * magnitude for each index of `dim`. Fields are named as PyTorch's parametrization: `original0` is g,
 * `original1` is v.
 */
export class WeightNorm extends Module {
  original0: Tensor;
  original1: Tensor;
  readonly #dim: number;

  /** @param weight the weight to start from, reproduced exactly */
  constructor(weight: Tensor, dim: number) {
    super();
    handleOf(weight, "WeightNorm", "weight");
    checkCount("WeightNorm", "dim", dim);
    this.#dim = dim;
    const others = weight.shape.map((_, i) => i).filter((i) => i !== dim);
    const shape = weight.shape.map((size, i) => (i === dim ? size : 1));
    this.original1 = parameter(copyOf(weight));
    const magnitude = (into: Tensor) => {
      fillDeferred(this.original1);
      into.copy_(this.original1.norm(2, others, true));
    };
    this.original0 = parameter(noGrad(() => fresh(shape, magnitude, weight.dtype)));
  }

  /** The weight, in the shape it was given. */
  forward(): Tensor {
    return weightNorm(this.original1, this.original0, this.#dim);
  }
}
