import { type Device, type Tensor, tensor } from "@wav2vec2/libtorch";
import { ConfigurationError, UserError } from "../errors.js";
import type { Wav2Vec2Config } from "./configuration.js";
import { maskTensor, requireMaskShape, torchUniform } from "./masking.js";
import { sampleNegatives } from "./negatives.js";
import { sampleSpans, timeSpans } from "./span-mask.js";

/** Which frames are masked, and what each is compared with. */
export interface PreTrainingTargets {
  /** bool [batch, frames] */
  maskTimeIndices: Tensor;
  /**
   * Distractors of each masked frame, int64 [batch, frames, count], as indices into the frames of all clips
   * (clip * frames + frame), each of the same clip.
   */
  sampledNegativeIndices: Tensor;
}

/** Those of them that a caller gives. */
export type GivenTargets = { [Name in keyof PreTrainingTargets]?: Tensor | undefined };

/**
 * Spans to mask and negatives for them, as the configuration says, from libtorch's random numbers.
 *
 * @param frames each clip's own frames
 * @param time frames of the longest one
 * @throws ConfigurationError where nothing is to be masked
 */
export function samplePreTrainingTargets(
  config: Wav2Vec2Config,
  frames: readonly number[],
  time: number,
  device: Device,
): PreTrainingTargets {
  if (config.maskTimeProb === 0) {
    throw new ConfigurationError(
      "mask_time_prob must be above 0 for pre-training, but is 0. The paper's is 0.65 with spans of 10 frames.",
    );
  }
  const mask = sampleSpans(frames, time, timeSpans(config), torchUniform());
  const maskTimeIndices = maskTensor(mask, frames.length, device);
  return { maskTimeIndices, sampledNegativeIndices: negativesFor(maskTimeIndices, config.numNegatives) };
}

/** Negatives for a given mask, from libtorch's random numbers. */
export function negativesFor(maskTimeIndices: Tensor, count: number): Tensor {
  const [batch, time] = maskTimeIndices.shape as [number, number];
  const negatives = sampleNegatives(maskTimeIndices.toBytes(), time, count, torchUniform());
  return tensor(negatives, [batch, time, count], { dtype: "int64", device: maskTimeIndices.device });
}

/** @throws UserError where masks and negatives are not of these frames, or negatives come without a mask */
export function requireTargetShapes(
  { maskTimeIndices, sampledNegativeIndices }: GivenTargets,
  [batch, time]: readonly [number, number],
): void {
  if (maskTimeIndices) requireMaskShape(maskTimeIndices, [batch, time]);
  if (!sampledNegativeIndices) return;
  if (!maskTimeIndices) {
    throw new UserError("maskTimeIndices must be given with sampledNegativeIndices, but are missing.");
  }
  const { dtype, shape } = sampledNegativeIndices;
  if (dtype === "int64" && shape.length === 3 && shape[0] === batch && shape[1] === time && shape[2]! > 0)
    return;
  throw new UserError(
    `sampledNegativeIndices must be int64 [${batch}, ${time}, negatives], but are ${dtype} [${shape.join(", ")}].`,
  );
}
