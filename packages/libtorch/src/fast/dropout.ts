import { native } from "../native.js";
import { dropout as libtorchDropout } from "../operators/operators.generated.js";
import { wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";
import { KERNEL_DTYPES } from "./on-cpu.js";

/**
 * Dropout of training. On the CPU in float32 and bfloat16 the mask is drawn again in the backward pass, from a seed of
 * libtorch's random numbers, and not kept: libtorch's own takes ten times as long, and as much memory again as what is dropped.
 *
 * @param p checked by the caller
 */
export function dropout(x: Tensor, p: number): Tensor {
  // What is no tensor is refused there.
  if (p === 0 || p === 1 || x?.device !== "cpu" || !KERNEL_DTYPES.includes(x.dtype))
    return libtorchDropout(x, p, true);
  return wrap(native.fastDropout(x.handle, p));
}
