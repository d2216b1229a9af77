import { cat, type Tensor, tensor } from "@wav2vec2/libtorch";
import { frameMask } from "../masking.js";

/** What sums over clips of different lengths need. */
interface OwnFrames {
  /** bool [batch, frames, 1], true behind a clip's own frames; undefined where there is no padding */
  padding: Tensor | undefined;
  /** Each clip's own frames, [batch, 1] */
  counts: Tensor;
}

function ownFrames(values: Tensor, frames: readonly number[]): OwnFrames {
  const [batch, time] = values.shape as [number, number];
  const { device, dtype } = values;
  const padded = frames.some((count) => count < time);
  return {
    padding: padded ? frameMask(frames, time, device).logicalNot().unsqueeze(2) : undefined,
    counts: tensor(frames, [batch, 1], { dtype, device }),
  };
}

function sum(values: Tensor, { padding }: OwnFrames): Tensor {
  return (padding ? values.maskedFill(padding, 0) : values).sum([1]); // [batch, width]
}

/** The mean over each clip's own frames: [batch, frames, width] to [batch, width]. */
export function meanOverFrames(values: Tensor, frames: readonly number[]): Tensor {
  const own = ownFrames(values, frames);
  return sum(values, own).div(own.counts);
}

/**
 * Mean and standard deviation over each clip's own frames, of which it has two or more: [batch, frames, width] to
 * [batch, 2 width] (Snyder et al. 2018, "X-Vectors"). The deviation is that of a sample, as `torch.std` has it; where it
 * is 0 its gradient is 0.
 */
export function statisticsOverFrames(values: Tensor, frames: readonly number[]): Tensor {
  const own = ownFrames(values, frames);
  const mean = sum(values, own).div(own.counts); // [batch, width]
  const squares = values.sub(mean.unsqueeze(1)).square(); // [batch, frames, width]
  const variance = sum(squares, own).div(own.counts.sub(1)); // [batch, width]
  const constant = variance.eq(0);
  const deviation = variance.maskedFill(constant, 1).sqrt().maskedFill(constant, 0);
  return cat([mean, deviation], 1); // [batch, 2 width]
}
