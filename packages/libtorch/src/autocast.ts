import { checkFunction, checkOptions, checkSynchronous, describe } from "./arguments.js";
import { enableGrad } from "./autograd.js";
import { argumentError, TorchError } from "./errors.js";
import { native } from "./native.js";
import { conv1d, linear, ones } from "./operators/operators.generated.js";
import { libtorchInfo } from "./runtime.js";
import { scope } from "./tensors/handles.js";
import type { Device, Dtype } from "./tensors/tensor.js";

function within<T>(device: Device, dtype: Dtype, enabled: boolean, body: () => T): T {
  const [wasEnabled, formerDtype] = native.enterAutocast(device, dtype, enabled);
  try {
    const result = body();
    checkSynchronous("autocast", result);
    return result;
  } finally {
    native.leaveAutocast(device, formerDtype, wasEnabled);
  }
}

/** A linear layer and a convolution, forward and backward. */
function tryOut(device: Device, dtype: Dtype): void {
  enableGrad(() =>
    scope(() => {
      const weight = ones([2, 2, 1], { device });
      weight.requiresGrad = true;
      const input = ones([1, 2, 2], { device });
      const output = within(device, dtype, true, () => conv1d(linear(input, weight.select(2, 0)), weight));
      output.sum().backward();
    }),
  );
}

const supported = new Set<string>();

/** Why `autocast` cannot compute in `dtype` on the device. */
function obstacle(dtype: Dtype, device: Device): TorchError | undefined {
  const key = `${describe(dtype)} ${describe(device)}`;
  if (supported.has(key)) return undefined;
  if (dtype !== "bfloat16" && dtype !== "float16")
    return argumentError("autocast", `'dtype' must be 'bfloat16' or 'float16', but is ${describe(dtype)}`);
  try {
    tryOut(device, dtype);
  } catch (error) {
    if (!(error instanceof TorchError)) throw error;
    const reason = `libtorch ${libtorchInfo().version} must compute in ${dtype} on ${device}, but does not`;
    return new TorchError("autocast", `${reason}. Use another dtype or none`, error.message);
  }
  supported.add(key);
  return undefined;
}

/** Whether `autocast` works in `dtype` on a device, tried out once: libtorch 1.13 has no float16 on CPUs. */
export function supportsAutocast(dtype: Dtype, device: Device = "cpu"): boolean {
  return obstacle(dtype, device) === undefined;
}

/**
 * Runs `body` (synchronous) with matrix products and convolutions in `dtype` and sensitive reductions in float32
 * (PyTorch: `torch.autocast`). `enabled: false` switches an outer autocast off.
 *
 * @throws TorchError where libtorch does not compute in `dtype` on the device; see {@link supportsAutocast}
 */
export function autocast<T>(
  options: { device?: Device | undefined; dtype?: Dtype | undefined; enabled?: boolean | undefined },
  body: () => T,
): T {
  checkOptions("autocast", options, ["device", "dtype", "enabled"]);
  checkFunction("autocast", "body", body);
  const { device = "cpu", dtype = "bfloat16", enabled = true } = options;
  const error = enabled ? obstacle(dtype, device) : undefined;
  if (error) throw error;
  return within(device, dtype, enabled, body);
}
