import { native } from "../native.js";
import { full } from "../operators/operators.generated.js";
import type { ParameterUpdate } from "../optim/optimizer.js";
import type { Tensor } from "../tensors/tensor.js";
import { isFloat32OnCpu } from "./on-cpu.js";

/** libtorch's operator, or -1 where this version has none. */
const operators = new Map<string, number>();

function indexOf(name: string): number {
  const known = operators.get(name) ?? native.lookup(name, "");
  operators.set(name, known);
  return known;
}

export interface AdamRates {
  betas: readonly [number, number];
  eps: number;
}

/**
 * A step of Adam for one parameter in one pass over memory, where the operators that it consists of take eight.
 *
 * @param decoupled whether weights decay as AdamW's do
 * @param skip as `Optimizer.step`
 * @returns false for what it is not made for, of which nothing is changed
 */
export function adamAtOnce(
  decoupled: boolean,
  update: Pick<
    ParameterUpdate,
    "parameter" | "gradient" | "moments" | "step" | "learningRate" | "weightDecay"
  >,
  { betas: [beta1, beta2], eps }: AdamRates,
  skip: Tensor | undefined,
): boolean {
  const { parameter, moments, step, learningRate, weightDecay } = update;
  const gradient = update.gradient.contiguous();
  const tensors = [parameter, gradient, ...moments] as const;
  const operator = indexOf(decoupled ? "_fused_adamw_" : "_fused_adam_");
  // The kernel goes through memory from first to last, whatever the strides.
  if (operator < 0 || !isFloat32OnCpu(...tensors) || !tensors.every((each) => each.isContiguous))
    return false;
  const [first, second, largest] = moments;
  native.applyInPlace(
    operator,
    [parameter.handle],
    [gradient.handle],
    [first!.handle],
    [second!.handle],
    largest ? [largest.handle] : [],
    [full([], step).handle],
    learningRate,
    beta1,
    beta2,
    weightDecay,
    eps,
    largest !== undefined,
    false,
    undefined,
    skip?.to({ dtype: "float32" }).handle,
  );
  return true;
}
