import { checkFunction, checkSynchronous, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { native } from "../native.js";
import type { Tensor } from "./tensor.js";

// The generated operators make tensors without importing their class, which extends the generated one.
let construct: (handle: number) => Tensor;
let isMade: (value: object) => boolean;

export function setTensorClass(make: (handle: number) => Tensor, isOne: (value: object) => boolean): void {
  construct = make;
  isMade = isOne;
}

export function wrap(handle: number): Tensor {
  return construct(handle);
}

export function wrapAll(handles: readonly number[]): Tensor[] {
  return handles.map((handle) => construct(handle));
}

/** Whether a value is a tensor, freed ones too (PyTorch: `torch.is_tensor`). */
export function isTensor(value: unknown): value is Tensor {
  return typeof value === "object" && value !== null && isMade(value);
}

/** @throws TorchError when the value is not a tensor. */
export function handleOf(value: Tensor, operator: string, argument: string): number {
  if (!isTensor(value))
    throw argumentError(operator, `'${argument}' must be a Tensor, but is ${describe(value)}`);
  return value.handle;
}

export function optionalHandleOf(
  value: Tensor | undefined,
  operator: string,
  argument: string,
): number | undefined {
  return value === undefined || value === null ? undefined : handleOf(value, operator, argument);
}

export function handlesOf(
  values: readonly (Tensor | undefined)[],
  operator: string,
  argument: string,
): (number | undefined)[] {
  if (!Array.isArray(values)) {
    throw argumentError(
      operator,
      `'${argument}' must be an array of Tensors, but is ${describe(values)}${isTensor(values) ? ". Give [a, b]" : ""}`,
    );
  }
  return values.map((value) => optionalHandleOf(value, operator, argument));
}

/** @throws TorchError unless the value is an array of tensors. */
export function requireTensors(values: unknown, operator: string, argument: string): void {
  if (!Array.isArray(values))
    throw argumentError(operator, `'${argument}' must be an array of Tensors, but is ${describe(values)}`);
  for (const [i, value] of values.entries()) handleOf(value, operator, `${argument}[${i}]`);
}

let depth = 0;
let unreported = 0;
let reporting = false;

/**
 * Tells V8 what tensors weigh, once for all that a synchronous stretch of code makes: V8 answers each report with a
 * step of collecting, and finalisers run between such stretches only.
 */
function weigh(bytes: number): void {
  unreported += bytes;
  if (reporting) return;
  reporting = true;
  queueMicrotask(() => {
    native.adjustExternalMemory(unreported);
    unreported = 0;
    reporting = false;
  });
}

const finaliser = new FinalizationRegistry<{ handle: number; bytes: number }>(({ handle, bytes }) => {
  native.free(handle);
  weigh(-bytes);
});

/** Hands a tensor to JavaScript's collector: freed when nothing refers to it any more. */
export function finalise(tensor: Tensor): void {
  if (!native.persist(tensor.handle)) return;
  const bytes = native.byteLength(tensor.handle);
  weigh(bytes);
  finaliser.register(tensor, { handle: tensor.handle, bytes });
}

/** Called for every new tensor: outside scopes the collector frees it. */
export function adopt(tensor: Tensor): void {
  if (depth === 0) finalise(tensor);
}

function collectTensors(value: unknown, found: Set<Tensor>, seen: Set<unknown>): void {
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  if (isTensor(value)) {
    found.add(value);
    return;
  }
  if (ArrayBuffer.isView(value)) return;
  seen.add(value);
  if (value instanceof Map) collectTensors([...value.keys()], found, seen);
  const isCollection = Array.isArray(value) || value instanceof Map || value instanceof Set;
  const elements: Iterable<unknown> = isCollection ? value.values() : Object.values(value);
  for (const element of elements) collectTensors(element, found, seen);
}

/**
 * Runs `body` and frees every tensor made in it except those it returns: alone, or in arrays, Maps, Sets and fields of
 * objects, also of class instances, at any depth. A training step is one scope. Private #fields and the variables of
 * functions cannot be seen from outside: what must outlive the scope in them, or in any other way, goes through `keep`.
 *
 * @throws TorchError when `body` is asynchronous: tensors of other work would be freed with its own.
 */
export function scope<T>(body: () => T): T {
  checkFunction("scope", "body", body);
  native.enterScope();
  depth++;
  const kept = new Set<Tensor>();
  try {
    const result = body();
    checkSynchronous("scope", result);
    collectTensors(result, kept, new Set());
    return result;
  } finally {
    depth--;
    if (depth === 0) for (const tensor of kept) finalise(tensor);
    native.leaveScope(Array.from(kept, (tensor) => tensor.handle));
  }
}

/** Takes a tensor out of all scopes, for state that outlives them; the collector frees it. */
export function keep<T extends Tensor>(tensor: T): T {
  handleOf(tensor, "keep", "tensor");
  finalise(tensor);
  return tensor;
}

/** Without the collector's help in the way: `body` runs with a scope that its hooks' tensors are freed with. */
export function insideNativeScope<T>(body: () => T): T {
  depth++;
  try {
    return body();
  } finally {
    depth--;
  }
}
