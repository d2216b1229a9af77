import { isTensor, keep } from "../handles.js";
import type { Device, Dtype, Tensor } from "../tensor.js";
import { inheritFill } from "./init.js";
import { stateName } from "./state-name.js";

/** Makes a parameter of a tensor's values; it lives until nothing refers to it, also when made inside a scope. */
export function parameter(values: Tensor): Tensor {
  const leaf = keep(values.detach());
  inheritFill(values, leaf);
  leaf.requiresGrad = true;
  return leaf;
}

/**
 * The base of every layer and model, as PyTorch's `nn.Module`. Tensors, modules and arrays of modules in its
 * fields are its parameters and children; a field's name in snake_case is its part of the checkpoint key.
 */
export abstract class Module {
  /** Dropout and LayerDrop act only in training. */
  training = true;

  *children(): Generator<[string, Module]> {
    for (const [field, value] of Object.entries(this)) {
      if (value instanceof Module) yield [stateName(field), value];
      else if (Array.isArray(value)) {
        for (const [i, element] of value.entries()) {
          if (element instanceof Module) yield [`${stateName(field)}.${i}`, element];
        }
      }
    }
  }

  /** Every parameter with its checkpoint key, depth first, in the order of the fields. */
  *namedParameters(prefix = ""): Generator<[string, Tensor]> {
    for (const [field, value] of Object.entries(this)) {
      if (isTensor(value)) yield [prefix + stateName(field), value];
    }
    for (const [name, child] of this.children()) yield* child.namedParameters(`${prefix}${name}.`);
  }

  parameters(): Tensor[] {
    return Array.from(this.namedParameters(), ([, tensor]) => tensor);
  }

  /** Where its first parameter lies; the CPU where it has none. */
  get device(): Device {
    for (const [, tensor] of this.namedParameters()) return tensor.device;
    return "cpu";
  }

  /** The number of trainable elements. */
  parameterCount(): number {
    return this.parameters().reduce((sum, tensor) => sum + (tensor.requiresGrad ? tensor.numel : 0), 0);
  }

  train(training = true): this {
    this.training = training;
    for (const [, child] of this.children()) child.train(training);
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Stops (or starts again) the training of every parameter below. */
  freeze(frozen = true): this {
    for (const tensor of this.parameters()) tensor.requiresGrad = !frozen;
    return this;
  }

  zeroGrad(): void {
    for (const tensor of this.parameters()) tensor.grad = undefined;
  }

  /** Moves or converts every parameter, in place of the old ones. Make optimisers afterwards. */
  to(options: { device?: Device; dtype?: Dtype }): this {
    for (const [field, value] of Object.entries(this)) {
      if (isTensor(value)) {
        const moved = keep(value.detach().to(options));
        inheritFill(value, moved);
        moved.requiresGrad = value.requiresGrad;
        Object.assign(this, { [field]: moved });
      }
    }
    for (const [, child] of this.children()) child.to(options);
    return this;
  }
}
