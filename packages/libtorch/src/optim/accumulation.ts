import { checkString } from "../arguments.js";
import type { Device, Dtype } from "../tensors/tensor.js";

/** In what sums and factors are computed on a device: the widest that it has. Apple's GPUs have no float64. */
export function accumulationDtype(device: Device): Dtype {
  checkString("accumulationDtype", "device", device);
  return device.startsWith("mps") ? "float32" : "float64";
}
