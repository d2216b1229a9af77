import { isGradEnabled } from "../autograd.js";
import { native } from "../native.js";
import type { Dtype, Tensor } from "../tensor.js";

/** What autocast computes in on the CPU; undefined where it is off. */
export function autocastDtypeOnCpu(): Dtype | undefined {
  return native.autocastDtype("cpu") as Dtype | undefined;
}

/** Whether operators on these tensors are float32 arithmetic on the CPU, with no autocast to heed. */
export function isFloat32OnCpu(...tensors: readonly Tensor[]): boolean {
  return (
    tensors.every(({ device, dtype }) => device === "cpu" && dtype === "float32") &&
    autocastDtypeOnCpu() === undefined
  );
}

/** The same where no gradient is recorded either. */
export function isPlain(...tensors: readonly Tensor[]): boolean {
  return !isGradEnabled() && isFloat32OnCpu(...tensors);
}
