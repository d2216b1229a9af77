import { checkCount } from "../arguments.js";
import { embedding } from "../operators/operators.generated.js";
import type { Tensor } from "../tensors/tensor.js";
import { normal } from "./init.js";
import { Module } from "./module.js";
import { parameter } from "./parameter.js";

/** One vector an id. `weight` [entries, features], from N(0, 1). */
export class Embedding extends Module {
  weight: Tensor;

  constructor(entries: number, features: number) {
    super();
    checkCount("Embedding", "entries", entries, 1);
    checkCount("Embedding", "features", features, 1);
    this.weight = parameter(normal([entries, features], 1));
  }

  override extraRepr(): string {
    return this.weight.shape.join(", ");
  }

  /** int64 [...] to [..., features] */
  forward(ids: Tensor): Tensor {
    return embedding(this.weight, ids);
  }
}
