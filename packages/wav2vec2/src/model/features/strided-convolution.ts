import type { nn, Tensor } from "@wav2vec2/libtorch";

/**
 * A convolution over [batch, time, channels in] to [batch, shorter time, channels out], as matrix products: `stride`
 * frames side by side are one row of a view, a window is a few such rows, and nothing is copied or transposed. A norm
 * over channels before and behind it finds its input as it lies in memory.
 *
 * @param conv with `weight` [channels out, channels in, kernel] and no padding
 */
export function stridedConvolution(x: Tensor, conv: nn.Conv1d, stride: number): Tensor {
  const [batch, time, channels] = x.shape as [number, number, number];
  const kernel = conv.weight.shape[2]!;
  const frames = Math.floor((time - kernel) / stride) + 1;
  const blocks = Math.ceil(kernel / stride); // rows of a window; the last one may be used in part
  const rows = frames + blocks - 1;
  const missing = rows * stride - time;
  const whole = missing > 0 ? x.pad([0, 0, 0, missing]) : x.narrow(1, 0, rows * stride);
  const strides = whole.view([batch, rows, stride * channels]); // [batch, rows, stride * channels in]
  const weights = conv.weight.permute([2, 1, 0]).flatten(0, 1); // [kernel * channels in, channels out]
  let sum: Tensor | undefined;
  for (let block = 0; block < blocks; block++) {
    const width = Math.min(stride, kernel - block * stride) * channels; // of the row that the window covers
    const part = strides
      .narrow(1, block, frames)
      .narrow(2, 0, width)
      .matmul(weights.narrow(0, block * stride * channels, width)); // [batch, frames, channels out]
    sum = sum ? sum.add(part) : conv.bias ? part.add(conv.bias.to({ dtype: part.dtype })) : part;
  }
  return sum!;
}
