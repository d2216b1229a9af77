import { checkFunction, checkOptions, checkSynchronous } from "./arguments.js";
import { native } from "./native.js";
import { handlesOf, wrap } from "./tensors/handles.js";
import type { Tensor } from "./tensors/tensor.js";

function withGradMode<T>(operator: string, enabled: boolean, body: () => T): T {
  checkFunction(operator, "body", body);
  const before = native.setGradMode(enabled);
  try {
    const result = body();
    checkSynchronous(operator, result);
    return result;
  } finally {
    native.setGradMode(before);
  }
}

/** Runs `body` (synchronous) without recording operators for a backward pass. */
export function noGrad<T>(body: () => T): T {
  return withGradMode("noGrad", false, body);
}

/** Whether operators are recorded for a backward pass here: not inside `noGrad` (PyTorch: `torch.is_grad_enabled`). */
export function isGradEnabled(): boolean {
  const enabled = native.setGradMode(false);
  native.setGradMode(enabled);
  return enabled;
}

/** Runs `body` (synchronous) recording operators, also inside `noGrad`. */
export function enableGrad<T>(body: () => T): T {
  return withGradMode("enableGrad", true, body);
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
  checkOptions("grad", options, ["gradOutputs", "retainGraph", "createGraph", "allowUnused"]);
  const createGraph = options.createGraph ?? false;
  const results = handlesOf(outputs, "grad", "outputs") as number[];
  const incoming = options.gradOutputs ?? results.map(() => undefined);
  return native
    .gradientsOf(
      results,
      handlesOf(inputs, "grad", "inputs") as number[],
      handlesOf(incoming, "grad", "gradOutputs").map((handle) => handle ?? 0),
      options.retainGraph ?? createGraph,
      createGraph,
      options.allowUnused ?? false,
    )
    .map((handle) => (handle === undefined ? undefined : wrap(handle)));
}
