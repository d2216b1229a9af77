import { native } from "../native.js";
import { conv1d } from "../operators/operators.generated.js";
import { wrap } from "../tensors/handles.js";
import type { Tensor } from "../tensors/tensor.js";

/**
 * Convolution over [batch, time, channels] as matrix products of views: `stride` frames side by side are one row, a window is a
 * few such rows. libtorch's own takes channels before time, which norms and projections want transposed, and half as long again
 * for its backward pass.
 *
 * @param weight [channels out, channels in, kernel]
 * @param bias [channels out]
 * @returns [batch, floor((time - kernel) / stride) + 1, channels out]
 */
export function stridedConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  stride: number,
): Tensor {
  // Products into parts of a tensor were not seen to be right on other devices.
  if (!/^(cpu|cuda|meta)/.test(x.device))
    return conv1d(x.transpose(1, 2), weight, bias, stride).transpose(1, 2);
  return wrap(native.fastStridedConvolution(x.handle, weight.handle, bias?.handle, stride));
}
