import { inspect } from "node:util";
import {
  checkBoolean,
  checkChoice,
  checkFunction,
  checkOptions,
  checkString,
  describe,
} from "../arguments.js";
import { noGrad } from "../autograd.js";
import { argumentError, stateError } from "../errors.js";
import { isTensor, keep } from "../tensors/handles.js";
import type { Device, Dtype, Tensor } from "../tensors/tensor.js";
import { addForwardHook, addForwardPreHook } from "./forward-hooks.js";
import { forgetFill, inheritFill } from "./init.js";
import { type Held, heldIn, replaceIn } from "./module-fields.js";
import { moduleText } from "./module-text.js";
import { inheritRole, type Role, roleOf } from "./parameter.js";

/** Keys that do not fit between a state and a module. */
export interface IncompatibleKeys {
  /** Of the module, which the state does not have. */
  missingKeys: string[];
  /** Of the state, which the module does not have. */
  unexpectedKeys: string[];
}

const FLOATING: readonly Dtype[] = ["float32", "float64", "float16", "bfloat16"];

/**
 * The base of every layer and model, as PyTorch's `nn.Module`. Its fields hold parameters (`nn.parameter`), buffers
 * (`nn.buffer`) and other modules, also in arrays, plain objects and Maps at any depth. A field's name in snake_case is its
 * part of the checkpoint's key, followed by the place in an array or the key of an object or Map: `layers.0.weight`.
 *
 * A plain tensor in a field, and modules in a container without keys such as a Set, are refused by whatever looks for
 * parameters first. Private #fields are no part of a module.
 */
export abstract class Module {
  /** Dropout and LayerDrop act only in training. */
  training = true;

  /**
   * What `console.log` shows in the module's brackets: its options. A layer of one's own says more by overriding it (PyTorch:
   * `extra_repr`). Default: its public fields that are numbers, strings or booleans, and the shapes of its own parameters
   */
  extraRepr(): string {
    const options = Object.entries(this).flatMap(([name, value]: [string, unknown]) =>
      name !== "training" && ["number", "string", "boolean"].includes(typeof value)
        ? [`${name}=${value}`]
        : [],
    );
    const tensors = heldIn(this, isHeld).flatMap(({ name, value }) =>
      isTensor(value) && value.isLive ? [`${name}=[${value.shape.join(", ")}]`] : [],
    );
    return [...options, ...tensors].join(", ");
  }

  /** What `console.log` shows: the tree of modules with their options, and how many parameters it has. */
  [inspect.custom](depth: number): string {
    if (depth < 0) return `${this.constructor.name}(…)`;
    const parameters = this.parameterCount();
    return `${moduleText(this)}${parameters > 0 ? `  # ${parameters.toLocaleString("en")} parameters` : ""}`;
  }

  /** Its own tensors of some roles, of what it holds. */
  #tensors(held: readonly Held<Tensor | Module>[], wanted: readonly Role[]): Held<Tensor>[] {
    return held.filter((each): each is Held<Tensor> => {
      const { name, value } = each;
      if (!isTensor(value)) return false;
      const role = roleOf(value);
      if (role === undefined)
        throw argumentError(
          this.constructor.name,
          `'${name}' must be made by nn.parameter, to be trained, or by nn.buffer, to be moved and saved only, but is a ` +
            "plain Tensor. Keep what is neither in a private #field",
        );
      return wanted.includes(role);
    });
  }

  /** This module and all below, depth first, each once, with what they hold. */
  *#walk(prefix: string, seen = new Set<Module>()): Generator<Walked> {
    checkString("Module", "prefix", prefix);
    if (seen.has(this)) return;
    seen.add(this);
    const held = heldIn(this, isHeld);
    yield { key: prefix, module: this, held };
    for (const { name, value } of held)
      if (value instanceof Module) yield* value.#walk(joined(prefix, name), seen);
  }

  /** The modules right below, each once, with their part of the key (PyTorch: `named_children`). */
  *namedChildren(): Generator<[string, Module]> {
    const seen = new Set<Module>();
    for (const { name, value } of heldIn(this, isHeld)) {
      if (!(value instanceof Module) || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /** The modules right below, each once. */
  *children(): Generator<Module> {
    for (const [, child] of this.namedChildren()) yield child;
  }

  /** This module and all below, depth first, each once, with their keys; its own is `prefix` (PyTorch: `named_modules`). */
  *namedModules(prefix = ""): Generator<[string, Module]> {
    for (const { key, module } of this.#walk(prefix)) yield [key, module];
  }

  /** This module and all below, depth first, each once. */
  *modules(): Generator<Module> {
    for (const { module } of this.#walk("")) yield module;
  }

  *#namedTensors(prefix: string, ...roles: Role[]): Generator<[string, Tensor]> {
    const seen = new Set<Tensor>();
    for (const { key, module, held } of this.#walk(prefix)) {
      for (const { name, value } of module.#tensors(held, roles)) {
        if (seen.has(value)) continue;
        seen.add(value);
        yield [joined(key, name), value];
      }
    }
  }

  /**
   * Every parameter with its checkpoint key, depth first, in the order of the fields, those of a module before those of the
   * modules below. One that is in several places has the key of the first (PyTorch: `named_parameters`).
   */
  namedParameters(prefix = ""): Generator<[string, Tensor]> {
    return this.#namedTensors(prefix, "parameter");
  }

  /** Every parameter once, also those that are frozen. */
  parameters(): Tensor[] {
    return Array.from(this.namedParameters(), ([, tensor]) => tensor);
  }

  /** Every buffer with its key, in the order of `namedParameters` (PyTorch: `named_buffers`). */
  namedBuffers(prefix = ""): Generator<[string, Tensor]> {
    return this.#namedTensors(prefix, "buffer", "passing buffer");
  }

  /** Every buffer once. */
  buffers(): Tensor[] {
    return Array.from(this.namedBuffers(), ([, tensor]) => tensor);
  }

  /**
   * Parameters and persistent buffers by key, to save: the module's own tensors, not copies. What is in several places is
   * there under each of its keys (PyTorch: `state_dict`).
   *
   * @throws TorchError where a module holds itself
   */
  stateDict(prefix = ""): Map<string, Tensor> {
    return new Map(this.#state(prefix, []));
  }

  *#state(prefix: string, above: readonly Module[]): Generator<[string, Tensor]> {
    checkString("Module", "prefix", prefix);
    if (above.includes(this))
      throw argumentError(this.constructor.name, `the module must not hold itself, but does as '${prefix}'`);
    const held = heldIn(this, isHeld);
    for (const role of ["parameter", "buffer"] as const)
      for (const { name, value } of this.#tensors(held, [role])) yield [joined(prefix, name), value];
    for (const { name, value } of held)
      if (value instanceof Module) yield* value.#state(joined(prefix, name), [...above, this]);
  }

  /**
   * Copies values into the parameters and persistent buffers of the same key (PyTorch: `load_state_dict`). `loadState` reads
   * a file without a copy.
   *
   * @param state as `stateDict` returns it, or an object of tensors by key
   * @param options.strict whether every key must be on both sides. True when left out.
   * @throws TorchError that names all keys that do not fit, or have another shape; nothing is changed then
   */
  loadStateDict(
    state: Iterable<readonly [string, Tensor]> | Readonly<Record<string, Tensor>>,
    options: { strict?: boolean | undefined } = {},
  ): IncompatibleKeys {
    const kind = this.constructor.name;
    checkOptions("loadStateDict", options, ["strict"]);
    const { strict = true } = options;
    checkBoolean("loadStateDict", "strict", strict);
    const given = entriesOf(state);
    const own = this.stateDict();
    const missingKeys = [...own.keys()].filter((key) => !given.has(key));
    const unexpectedKeys = [...given.keys()].filter((key) => !own.has(key));
    const faults: string[] = [];
    for (const [key, tensor] of own) {
      const values = given.get(key);
      if (values && values.shape.join() !== tensor.shape.join())
        faults.push(
          `${key} must have the shape [${tensor.shape.join(", ")}], but has [${values.shape.join(", ")}]`,
        );
    }
    if (strict && missingKeys.length > 0) faults.push(`missing are ${missingKeys.join(", ")}`);
    if (strict && unexpectedKeys.length > 0) faults.push(`unexpected are ${unexpectedKeys.join(", ")}`);
    if (faults.length > 0) throw stateError(kind, `the state must fit the module: ${faults.join("; ")}`);
    noGrad(() => {
      for (const [key, tensor] of own) {
        const values = given.get(key);
        if (!values) continue;
        tensor.copy_(values);
        forgetFill(tensor);
      }
    });
    return { missingKeys, unexpectedKeys };
  }

  /** Where its first parameter lies; the CPU where it has none. */
  get device(): Device {
    for (const [, tensor] of this.namedParameters()) return tensor.device;
    return "cpu";
  }

  /** The number of elements that are trained: without those of parameters that are frozen. */
  parameterCount(): number {
    return this.parameters().reduce((sum, tensor) => sum + (tensor.requiresGrad ? tensor.numel : 0), 0);
  }

  train(training = true): this {
    checkBoolean("train", "training", training);
    for (const module of this.modules()) module.training = training;
    return this;
  }

  eval(): this {
    return this.train(false);
  }

  /** Stops (or starts again) the training of every parameter below. PyTorch: `requires_grad_`. */
  freeze(frozen = true): this {
    checkBoolean("freeze", "frozen", frozen);
    for (const tensor of this.parameters()) tensor.requiresGrad = !frozen;
    return this;
  }

  zeroGrad(): void {
    for (const tensor of this.parameters()) tensor.grad = undefined;
  }

  /**
   * Moves or converts every parameter and buffer, in place of the old ones: make optimisers afterwards. `dtype` is a
   * floating-point one; integer buffers keep theirs.
   */
  to(options: { device?: Device | undefined; dtype?: Dtype | undefined }): this {
    checkOptions("to", options, ["device", "dtype"]);
    const { dtype, device } = options;
    if (dtype !== undefined) checkChoice("to", "dtype", dtype, FLOATING);
    const moved = new Map<Tensor, Tensor>();
    for (const { module, held } of this.#walk("")) {
      for (const each of module.#tensors(held, ["parameter", "buffer", "passing buffer"])) {
        const known = moved.get(each.value) ?? movedTo(each.value, { device, dtype });
        moved.set(each.value, known);
        replaceIn(module, each, known);
      }
    }
    return this;
  }

  /**
   * Calls `hook` with the module and the arguments of each of its `forward` calls; an array that it returns takes the
   * arguments' place. A layer inside `checkpoint` is called again in the backward pass, and so are its hooks.
   *
   * @returns a function that removes the hook
   */
  registerForwardPreHook<M extends Module, Arguments extends unknown[]>(
    this: M & { forward(...args: Arguments): unknown },
    hook: (module: M, args: Arguments) => Replacement<[...Arguments]>,
  ): () => void {
    checkFunction("registerForwardPreHook", "hook", hook);
    return addForwardPreHook(this, hook);
  }

  /**
   * Calls `hook` with the module, the arguments and the output of each of its `forward` calls; what it returns takes the
   * output's place. A layer inside `checkpoint` is called again in the backward pass, and so are its hooks.
   *
   * @returns a function that removes the hook
   */
  registerForwardHook<M extends Module, Arguments extends unknown[], Output>(
    this: M & { forward(...args: Arguments): Output },
    hook: (module: M, args: Arguments, output: Output) => Replacement<Output>,
  ): () => void {
    checkFunction("registerForwardHook", "hook", hook);
    return addForwardHook(this, hook);
  }
}

/** What a hook returns: something else in the place of what it was given, or nothing. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks returns nothing
type Replacement<Value> = Value | undefined | void;

interface Walked {
  readonly key: string;
  readonly module: Module;
  readonly held: readonly Held<Tensor | Module>[];
}

function isHeld(value: unknown): value is Tensor | Module {
  return value instanceof Module || isTensor(value);
}

function joined(prefix: string, name: string): string {
  return prefix && name ? `${prefix}.${name}` : prefix || name;
}

function movedTo(
  tensor: Tensor,
  { device, dtype }: { device: Device | undefined; dtype: Dtype | undefined },
) {
  const moved = keep(
    tensor.detach().to({ device, dtype: FLOATING.includes(tensor.dtype) ? dtype : undefined }),
  );
  inheritFill(tensor, moved);
  inheritRole(tensor, moved);
  moved.requiresGrad = tensor.requiresGrad;
  return moved;
}

function entriesOf(state: unknown): Map<string, Tensor> {
  if (typeof state !== "object" || state === null)
    throw stateError(
      "loadStateDict",
      `the state must be what stateDict returns, or an object of Tensors, but is ${describe(state)}`,
    );
  const pairs: unknown[] =
    Symbol.iterator in state ? [...(state as Iterable<unknown>)] : Object.entries(state);
  return new Map(
    pairs.map((pair) => {
      const [key, value] = Array.isArray(pair) ? pair : [pair, undefined];
      if (typeof key === "string" && isTensor(value)) return [key, value];
      throw stateError(
        "loadStateDict",
        `the state must hold Tensors by key, but holds ${describe(value)} as ${describe(key)}`,
      );
    }),
  );
}
