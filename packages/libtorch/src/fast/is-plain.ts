import { isGradEnabled } from "../autograd.js";
import { native } from "../native.js";
import type { Tensor } from "../tensor.js";

function isAutocastOnCpu(): boolean {
  const [enabled, dtype] = native.enterAutocast("cpu", "bfloat16", false);
  native.leaveAutocast("cpu", dtype, enabled);
  return enabled;
}

/** Whether operators on these tensors are float32 arithmetic on the CPU, with no autocast to heed. */
export function isFloat32OnCpu(...tensors: readonly Tensor[]): boolean {
  return tensors.every(({ device, dtype }) => device === "cpu" && dtype === "float32") && !isAutocastOnCpu();
}

/** The same where no gradient is recorded either. */
export function isPlain(...tensors: readonly Tensor[]): boolean {
  return !isGradEnabled() && isFloat32OnCpu(...tensors);
}
