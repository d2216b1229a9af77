import { handlesOf, wrap } from "./handles.js";
import { native } from "./native.js";
import type { Tensor } from "./tensor.js";

function withGradMode<T>(enabled: boolean, body: () => T): T {
  const before = native.setGradMode(enabled);
  try {
    return body();
  } finally {
    native.setGradMode(before);
  }
}

/** Runs `body` (synchronous) without recording operators for a backward pass. */
export function noGrad<T>(body: () => T): T {
  return withGradMode(false, body);
}

/** Runs `body` (synchronous) recording operators, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode(true, body);
}

/**
 * Gradients of `outputs` with respect to `inputs`, without touching any `grad` (PyTorch: `torch.autograd.grad`).
 * Outputs of more than one element need their incoming gradient in `gradOutputs`.
 */
export function grad(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  options: {
    gradOutputs?: readonly (Tensor | undefined)[];
    retainGraph?: boolean;
    createGraph?: boolean;
    allowUnused?: boolean;
  } = {},
): (Tensor | undefined)[] {
  const createGraph = options.createGraph ?? false;
  const incoming = options.gradOutputs ?? outputs.map(() => undefined);
  return native
    .gradientsOf(
      handlesOf(outputs, "grad", "outputs") as number[],
      handlesOf(inputs, "grad", "inputs") as number[],
      handlesOf(incoming, "grad", "gradOutputs").map((handle) => handle ?? 0),
      options.retainGraph ?? createGraph,
      createGraph,
      options.allowUnused ?? false,
    )
    .map((handle) => (handle === undefined ? undefined : wrap(handle)));
}
