// What a module holds in its fields, and under which part of a checkpoint's key.
import { describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { stateName } from "./state-name.js";

/** A module's field for what has no name of its own before its key, as the layers of `Sequential`. */
export const ELEMENTS = Symbol("elements");

export interface Held<Leaf> {
  /** The field in snake_case, followed by the places in arrays, objects and maps: `layers.0`, `heads.digits`. */
  readonly name: string;
  readonly value: Leaf;
  readonly container: object;
  readonly key: unknown;
}

/**
 * All leaves in an object's fields, and in arrays, plain objects and maps of them at any depth, in order.
 *
 * @throws TorchError where one is in a container that has no keys, such as a set
 */
export function heldIn<Leaf>(owner: object, isLeaf: (value: unknown) => value is Leaf): Held<Leaf>[] {
  const found: Held<Leaf>[] = [];
  const above = new Set<unknown>(); // a container may hold itself
  const kind = owner.constructor.name;

  const look = (value: unknown, name: string, container: object, key: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if (isLeaf(value)) found.push({ name, value, container, key });
    else if (!ArrayBuffer.isView(value) && !above.has(value)) {
      above.add(value);
      lookInside(value, name);
      above.delete(value);
    }
  };

  const lookInside = (value: object, name: string): void => {
    const inside = (key: unknown) => (name === "" ? String(key) : `${name}.${key}`);
    if (Array.isArray(value)) {
      for (let i = 0; i < value.length; i++)
        if (typeof value[i] === "object") look(value[i], inside(i), value, i);
    } else if (value instanceof Map || isPlain(value)) {
      const entries = value instanceof Map ? value : Object.entries(value);
      for (const [key, element] of entries) {
        if (typeof element !== "object") continue;
        const before = found.length;
        look(element, inside(typeof key === "symbol" ? "" : key), value, key);
        if (found.length > before) checkKey(kind, name, key);
      }
    } else {
      const elements = value instanceof Set ? [...value] : Object.values(value);
      const lost = elements.find((element) => isLeaf(element));
      if (lost === undefined) return;
      throw argumentError(
        kind,
        `'${name}' must hold modules and parameters in fields, arrays, plain objects or Maps, but is ` +
          `${describe(value)} that holds ${describe(lost)}, which would not be trained and saved. Take one of those, or ` +
          "a private #field for what is not the module's own",
      );
    }
  };

  const elements = (owner as { [ELEMENTS]?: object })[ELEMENTS];
  if (elements !== undefined) lookInside(elements, "");
  for (const [field, value] of Object.entries(owner))
    if (typeof value === "object") look(value, stateName(field), owner, field);
  return found;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Puts another value into the place of a leaf. */
export function replaceIn<Leaf>(owner: object, { name, container, key }: Held<Leaf>, value: Leaf): void {
  if (container instanceof Map) container.set(key, value);
  else if (!Reflect.set(container, key as string | number, value))
    throw argumentError(
      owner.constructor.name,
      `'${name}' must be writable, so that it can be moved, but is frozen`,
    );
}

/** @throws TorchError where a key would be mistaken for several */
function checkKey(kind: string, name: string, key: unknown): void {
  if ((typeof key === "string" || typeof key === "number") && /^[^.]+$/.test(String(key))) return;
  throw argumentError(
    kind,
    `the keys of '${name}' must be strings without a point, as they are parts of a checkpoint's keys, but one is ` +
      describe(key),
  );
}
