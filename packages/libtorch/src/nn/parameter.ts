import { checkBoolean, checkOptions } from "../arguments.js";
import { handleOf, keep } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { inheritFill } from "./init.js";

/** What a tensor in a field of a module is. */
export type Role = "parameter" | "buffer" | "passing buffer";

const roles = new WeakMap<Tensor, Role>();

/** What `parameter` or `buffer` made a tensor for; undefined for every other one. */
export function roleOf(tensor: Tensor): Role | undefined {
  return roles.get(tensor);
}

/** Gives a tensor that takes another one's place in a module the same part in it. */
export function inheritRole(from: Tensor, to: Tensor): void {
  const role = roles.get(from);
  if (role) roles.set(to, role);
}

/**
 * Makes a parameter of a tensor's values (PyTorch: `nn.Parameter`): in a module's field it is trained, moved and saved. It
 * lives until nothing refers to it, also when made inside a scope. `requiresGrad` is true.
 */
export function parameter(values: Tensor): Tensor {
  handleOf(values, "parameter", "values");
  const leaf = keep(values.detach());
  inheritFill(values, leaf);
  leaf.requiresGrad = true;
  roles.set(leaf, "parameter");
  return leaf;
}

/**
 * Makes a buffer of a tensor's values (PyTorch: `register_buffer`): in a module's field it is moved and saved with the
 * parameters, and no optimiser gets it. It lives until nothing refers to it, also when made inside a scope.
 *
 * @param options.persistent false leaves it out of `stateDict` and files. True when left out.
 */
export function buffer(values: Tensor, options: { persistent?: boolean | undefined } = {}): Tensor {
  handleOf(values, "buffer", "values");
  checkOptions("buffer", options, ["persistent"]);
  const { persistent = true } = options;
  checkBoolean("buffer", "persistent", persistent);
  const kept = keep(values.detach());
  roles.set(kept, persistent ? "buffer" : "passing buffer");
  return kept;
}
