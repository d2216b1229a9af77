import { native } from "./native.js";
import type { Device, Dtype } from "./tensor.js";

/**
 * Runs `body` (synchronous) with matrix products and convolutions in `dtype` and sensitive reductions in float32
 * (PyTorch: `torch.autocast`). `enabled: false` switches an outer autocast off.
 */
export function autocast<T>(
  options: { device?: Device; dtype?: Dtype; enabled?: boolean },
  body: () => T,
): T {
  const device = options.device ?? "cpu";
  const [wasEnabled, formerDtype] = native.enterAutocast(
    device,
    options.dtype ?? "bfloat16",
    options.enabled ?? true,
  );
  try {
    return body();
  } finally {
    native.leaveAutocast(device, formerDtype, wasEnabled);
  }
}
