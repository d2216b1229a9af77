import { checkNumber, describe } from "../arguments.js";
import { argumentError } from "../errors.js";
import { arange as range } from "../operators/operators.generated.js";
import type { Device, Dtype, Tensor } from "./tensor.js";

export interface ArangeOptions {
  /** int64 where all numbers are whole, else float32, when left out. */
  dtype?: Dtype | undefined;
  /** "cpu" when left out. */
  device?: Device | undefined;
}

/**
 * Numbers from `start` on, `step` apart, without `end` (PyTorch: `torch.arange`): `arange(4)` is 0, 1, 2, 3.
 *
 * @throws TorchError for what is no number, and for a step that does not lead from start to end
 */
export function arange(end: number, options?: ArangeOptions): Tensor;
export function arange(start: number, end: number, step?: number, options?: ArangeOptions): Tensor;
export function arange(
  first: number,
  second?: number | ArangeOptions,
  step?: number,
  options?: ArangeOptions,
): Tensor {
  if (typeof second === "number") return range(first, second, step, options);
  checkNumber("arange", "end", first);
  if (step !== undefined || options !== undefined)
    throw argumentError(
      "arange",
      `'end' must be a number, but is ${describe(second)}. Write arange(start, end, step)`,
    );
  return range(0, first, 1, second);
}
