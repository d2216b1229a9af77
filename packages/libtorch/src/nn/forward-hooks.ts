import { describe } from "../arguments.js";
import { argumentError } from "../errors.js";

/** Called before `forward` with its arguments; an array that it returns takes their place. */
export type ForwardPreHook = (module: never, args: never) => unknown;
/** Called behind `forward` with its arguments and what it returned; what it returns takes the output's place. */
export type ForwardHook = (module: never, args: never, output: never) => unknown;

type Forward = (...args: unknown[]) => unknown;
type AnyPreHook = (module: object, args: unknown[]) => unknown;
type AnyHook = (module: object, args: unknown[], output: unknown) => unknown;

interface Hooks {
  before: Set<{ hook: AnyPreHook }>;
  behind: Set<{ hook: AnyHook }>;
  /** Takes the module's own `forward` back. */
  uninstall: () => void;
}

const hooksOf = new WeakMap<object, Hooks>();

/**
 * Modules are called by `forward` itself: so while a module has hooks, it has a `forward` of its own that calls them around
 * the one of its class. Without hooks nothing is in the way of a call.
 */
function install(module: object): Hooks {
  const known = hooksOf.get(module);
  if (known) return known;
  const own = Object.getOwnPropertyDescriptor(module, "forward");
  const { forward } = module as { forward?: Forward };
  if (typeof forward !== "function")
    throw argumentError(
      module.constructor.name,
      `a module with hooks must have a method forward, but it is ${describe(forward)}`,
    );
  const hooks: Hooks = {
    before: new Set(),
    behind: new Set(),
    uninstall: () => {
      hooksOf.delete(module);
      if (own) Object.defineProperty(module, "forward", own);
      else Reflect.deleteProperty(module, "forward");
    },
  };
  const hooked: Forward = (...given) => {
    let args = given;
    for (const { hook } of [...hooks.before]) {
      const replaced = hook(module, args);
      if (replaced === undefined) continue;
      if (!Array.isArray(replaced))
        throw argumentError(
          "registerForwardPreHook",
          `the hook must return an array of arguments or nothing, but returns ${describe(replaced)}`,
        );
      args = replaced;
    }
    let output = forward.apply(module, args);
    for (const { hook } of [...hooks.behind]) output = hook(module, args, output) ?? output;
    return output;
  };
  Object.defineProperty(module, "forward", { value: hooked, configurable: true, writable: true });
  hooksOf.set(module, hooks);
  return hooks;
}

/** @returns a function that removes the hook */
function add<Hook>(hooks: Hooks, list: Set<{ hook: Hook }>, hook: Hook): () => void {
  const entry = { hook };
  list.add(entry);
  return () => {
    if (list.delete(entry) && hooks.before.size + hooks.behind.size === 0) hooks.uninstall();
  };
}

export function addForwardPreHook(module: object, hook: ForwardPreHook): () => void {
  const hooks = install(module);
  return add(hooks, hooks.before, hook as AnyPreHook);
}

export function addForwardHook(module: object, hook: ForwardHook): () => void {
  const hooks = install(module);
  return add(hooks, hooks.behind, hook as AnyHook);
}

/** Modules whose own `forward` is only watched. */
const watched = new WeakSet<object>();

/** Whether a module's `forward` is another than its class's, or has hooks. A profile that watches it makes it no other. */
export function hasOwnForward(module: object): boolean {
  if (typeof module !== "object" || module === null)
    throw argumentError("hasOwnForward", `'module' must be a Module, but is ${describe(module)}`);
  return Object.hasOwn(module, "forward") && !watched.has(module);
}

/**
 * Calls `enter` before and `leave` behind each `forward`, also where that fails.
 *
 * @returns what ends it
 */
export function watchForward(module: object, enter: () => void, leave: () => void): () => void {
  const own = Object.getOwnPropertyDescriptor(module, "forward");
  const { forward } = module as { forward?: Forward };
  if (typeof forward !== "function") return () => {};
  const value: Forward = (...args) => {
    enter();
    try {
      return forward.apply(module, args);
    } finally {
      leave();
    }
  };
  Object.defineProperty(module, "forward", { value, configurable: true, writable: true });
  if (!own) watched.add(module);
  return () => {
    watched.delete(module);
    if (own) Object.defineProperty(module, "forward", own);
    else Reflect.deleteProperty(module, "forward");
  };
}
