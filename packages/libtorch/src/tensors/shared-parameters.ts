import { setImmediate as turn } from "node:timers/promises";
import { describe } from "../arguments.js";
import { noGrad } from "../autograd.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import { forgetFill } from "../nn/init.js";
import { Module } from "../nn/module.js";
import { releaseMemory } from "../runtime.js";
import { scope, wrap } from "./handles.js";
import type { Dtype, Tensor } from "./tensor.js";

/** A parameter's, or a buffer's, values in memory that all threads of the process see. */
export interface SharedParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
  /** Over a SharedArrayBuffer: row-major, little-endian. */
  readonly bytes: Uint8Array;
}

/**
 * A copy of a module's parameters and buffers, from any device, that can be posted to other threads without being copied again. The
 * module keeps its own. The event loop has its turn between two parameters.
 */
export async function copyParameters(module: Module): Promise<SharedParameter[]> {
  requireModule("copyParameters", module);
  const parameters: SharedParameter[] = [];
  for (const [name, parameter] of valuesOf(module)) {
    parameters.push(copyOf(name, parameter));
    await turn();
  }
  return parameters;
}

/**
 * Moves a module's parameters and buffers on the CPU into memory that other threads can use too; what they took before is given back
 * to the system.
 *
 * @returns them, for {@link useParameters} in other threads
 */
export function shareParameters(module: Module): SharedParameter[] {
  requireModule("shareParameters", module);
  const parameters = valuesOf(module).map(([name, parameter]) => {
    const shared = copyOf(name, parameter);
    takePlace(parameter, shared);
    return shared;
  });
  releaseMemory();
  return parameters;
}

/**
 * Makes shared values a module's parameters and buffers, without a copy; what they took before is given back to the system. They are for
 * reading: training would change them for all threads at once.
 *
 * @param module of the same class and configuration, on the CPU; best one from `nn.init.deferred`
 * @throws Error where names or shapes are others
 */
export function useParameters(module: Module, shared: readonly SharedParameter[]): void {
  requireModule("useParameters", module);
  if (!Array.isArray(shared))
    throw argumentError(
      "useParameters",
      `'shared' must be what shareParameters gives, but is ${describe(shared)}`,
    );
  const byName = new Map(shared.map((parameter) => [parameter.name, parameter]));
  for (const [name, parameter] of valuesOf(module)) {
    const values = byName.get(name);
    if (!values || String(values.shape) !== String(parameter.shape))
      throw new Error(
        `The shared parameters must hold ${name} of shape [${parameter.shape}], but hold ${values ? `[${values.shape}]` : "none"}.`,
      );
    takePlace(parameter, values);
    forgetFill(parameter);
  }
  releaseMemory(); // else it counts as what is needed, by which it is measured how much may be kept
}

function valuesOf(module: Module): [string, Tensor][] {
  return [...module.namedParameters(), ...module.namedBuffers()];
}

function requireModule(operator: string, module: unknown): asserts module is Module {
  if (module instanceof Module) return;
  throw argumentError(operator, `'module' must be a Module, but is ${describe(module)}`);
}

function copyOf(name: string, parameter: Tensor): SharedParameter {
  const bytes = new Uint8Array(new SharedArrayBuffer(native.byteLength(parameter.handle)));
  native.toBytes(parameter.handle, bytes);
  return { name, shape: parameter.shape, dtype: parameter.dtype, bytes };
}

/** Puts shared memory in the place of a tensor's own: PyTorch's `set_`. */
function takePlace(parameter: Tensor, { bytes, shape, dtype }: SharedParameter): void {
  noGrad(() =>
    scope(() => {
      const values = wrap(native.shareBytes(bytes, shape, dtype));
      native.applyInPlace(native.lookup("set_", "source_Tensor"), parameter.handle, values.handle);
    }),
  );
}
