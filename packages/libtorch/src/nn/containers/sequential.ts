import { describe } from "../../arguments.js";
import { argumentError } from "../../errors.js";
import type { Tensor } from "../../tensors/tensor.js";
import { Module } from "../module.js";
import { ELEMENTS } from "../module-fields.js";

/** A module of one input and one output, or a function such as `(x) => x.relu()`. */
export type Layer = (Module & { forward(x: Tensor): Tensor }) | ((x: Tensor) => Tensor);

/**
 * Layers one after another (PyTorch: `nn.Sequential`). Keys are their places, which functions have too:
 *
 *     new nn.Sequential(new nn.Linear(4, 8), (x) => x.relu(), new nn.Linear(8, 2)) // 0.weight, 0.bias, 2.weight, 2.bias
 */
export class Sequential extends Module {
  readonly [ELEMENTS]: readonly Layer[];

  constructor(...layers: Layer[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      const isLayer =
        layer instanceof Module ? typeof layer.forward === "function" : typeof layer === "function";
      if (!isLayer)
        throw argumentError(
          "Sequential",
          `layer ${i} must be a Module with a method forward, or a function, but is ${describe(layer)}`,
        );
    }
    this[ELEMENTS] = [...layers];
  }

  /** The number of layers. */
  get length(): number {
    return this[ELEMENTS].length;
  }

  /** The layer of a place; negative ones count from the end. */
  at(place: number): Layer | undefined {
    if (!Number.isSafeInteger(place))
      throw argumentError("Sequential", `'place' must be a whole number, but is ${describe(place)}`);
    return this[ELEMENTS].at(place);
  }

  [Symbol.iterator](): Iterator<Layer> {
    return this[ELEMENTS][Symbol.iterator]();
  }

  /** From what the first layer takes to what the last one gives. */
  forward(x: Tensor): Tensor {
    return this[ELEMENTS].reduce((y, layer) => (layer instanceof Module ? layer.forward(y) : layer(y)), x);
  }
}
