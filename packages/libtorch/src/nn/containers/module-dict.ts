import { describe } from "../../arguments.js";
import { argumentError } from "../../errors.js";
import { Module } from "../module.js";
import { ELEMENTS } from "../module-fields.js";

/**
 * Modules by name, which may come and go (PyTorch: `nn.ModuleDict`). A plain object or a Map in a field does the same; a
 * ModuleDict is a module itself, which can be moved, frozen and saved as a whole.
 */
export class ModuleDict<M extends Module = Module> extends Module {
  readonly [ELEMENTS] = new Map<string, M>();

  /** @param modules an object, a Map or pairs of name and module */
  constructor(modules: Iterable<readonly [string, M]> | Readonly<Record<string, M>> = {}) {
    super();
    if (typeof modules !== "object" || modules === null)
      throw argumentError(
        "ModuleDict",
        `'modules' must be an object of Modules, but is ${describe(modules)}`,
      );
    const pairs = Symbol.iterator in modules ? modules : Object.entries(modules);
    for (const pair of pairs) {
      if (!Array.isArray(pair))
        throw argumentError(
          "ModuleDict",
          `'modules' must be pairs of name and Module, but one is ${describe(pair)}`,
        );
      this.set(pair[0], pair[1]);
    }
  }

  /** @throws TorchError where it is no module, or the name is no part of a key */
  set(name: string, module: M): this {
    if (typeof name !== "string" || !/^[^.]+$/.test(name))
      throw argumentError("ModuleDict", `a name must be a string without a point, but is ${describe(name)}`);
    if (!(module instanceof Module))
      throw argumentError("ModuleDict", `'${name}' must be a Module, but is ${describe(module)}`);
    this[ELEMENTS].set(name, module);
    return this;
  }

  get(name: string): M | undefined {
    return this[ELEMENTS].get(name);
  }

  has(name: string): boolean {
    return this[ELEMENTS].has(name);
  }

  delete(name: string): boolean {
    return this[ELEMENTS].delete(name);
  }

  get size(): number {
    return this[ELEMENTS].size;
  }

  keys(): MapIterator<string> {
    return this[ELEMENTS].keys();
  }

  values(): MapIterator<M> {
    return this[ELEMENTS].values();
  }

  entries(): MapIterator<[string, M]> {
    return this[ELEMENTS].entries();
  }

  [Symbol.iterator](): MapIterator<[string, M]> {
    return this[ELEMENTS].entries();
  }
}
