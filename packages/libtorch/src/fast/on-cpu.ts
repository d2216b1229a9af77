import { native } from "../native.js";
import type { Dtype, Tensor } from "../tensors/tensor.js";

/** What lies in memory where kernels compute in float32. */
export const KERNEL_DTYPES: readonly Dtype[] = ["float32", "bfloat16"];

/** What autocast computes in on the CPU; undefined where it is off. */
export function autocastDtypeOnCpu(): Dtype | undefined {
  return native.autocastDtype("cpu") as Dtype | undefined;
}

/** Whether these are float32 on the CPU, whatever autocast makes of them. */
export function lieInFloat32OnCpu(...tensors: readonly Tensor[]): boolean {
  return tensors.every(({ device, dtype }) => device === "cpu" && dtype === "float32");
}

/** Whether operators on these tensors are float32 arithmetic on the CPU, with no autocast to heed. */
export function isFloat32OnCpu(...tensors: readonly Tensor[]): boolean {
  return lieInFloat32OnCpu(...tensors) && autocastDtypeOnCpu() === undefined;
}
