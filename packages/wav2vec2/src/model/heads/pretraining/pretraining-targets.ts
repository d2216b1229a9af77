import { isTensor, type Tensor } from "@wav2vec2/libtorch";
import { FUNCTION, listOf, requireArguments, whole } from "../../../argument-kinds.js";
import { ConfigurationError, UserError } from "../../../errors.js";
import type { Wav2Vec2Config } from "../../configuration.js";
import { CONFIG } from "../../configuration-kind.js";
import { type GivenMask, requireMaskShape, torchUniform } from "../../masking.js";
import { drawnSpans, type SpanSampler, sampleSpans, timeSpans } from "../../span-mask.js";
import { sampleNegatives } from "./negatives.js";

/** Which frames are masked, and what each is compared with: on the host, until one copy takes them to the device. */
export interface PreTrainingTargets {
  /** [batch, frames] of 0 and 1, row by row */
  maskTimeIndices: Uint8Array;
  /**
   * Distractors of each masked frame, [batch, frames, count], as indices into the frames of all clips
   * (clip * frames + frame), each of the same clip.
   */
  sampledNegativeIndices: Int32Array;
}

/** Those of them that a caller gives. Tensors are read back, which waits for their device; typed arrays are not. */
export interface GivenTargets {
  /** [batch, frames]; bool where it is a tensor */
  maskTimeIndices?: GivenMask | undefined;
  /** As {@link PreTrainingTargets}; int64 [batch, frames, count] where it is a tensor */
  sampledNegativeIndices?: Int32Array | Tensor | undefined;
}

const FRAMES = listOf("each clip's own frames", whole(0).holds);

/**
 * Spans to mask and negatives for them, as the configuration says, from libtorch's random numbers.
 *
 * @param frames each clip's own frames
 * @param time frames of the longest one
 * @param sampler draws the spans. Default: as the paper
 * @throws ConfigurationError where nothing is to be masked
 */
export function samplePreTrainingTargets(
  config: Wav2Vec2Config,
  frames: readonly number[],
  time: number,
  sampler: SpanSampler = sampleSpans,
): PreTrainingTargets {
  requireArguments("samplePreTrainingTargets", {
    config: [config, CONFIG],
    frames: [frames, FRAMES],
    time: [time, whole(0)],
    sampler: [sampler, FUNCTION],
  });
  if (config.maskTimeProb === 0) {
    throw new ConfigurationError(
      "mask_time_prob must be above 0 for pre-training, but is 0. The paper's is 0.65 with spans of 10 frames.",
    );
  }
  const mask = drawnSpans(sampler, frames, time, timeSpans(config), torchUniform());
  return { maskTimeIndices: mask, sampledNegativeIndices: negativesFor(mask, time, config.numNegatives) };
}

/** Negatives for a mask of rows of `time` frames, from libtorch's random numbers. */
export function negativesFor(mask: Uint8Array, time: number, count: number): Int32Array {
  return sampleNegatives(mask, time, count, torchUniform());
}

/** A given mask on the host. */
export function hostMask(mask: GivenMask): Uint8Array {
  return isTensor(mask) ? mask.toBytes() : mask;
}

/** Given negatives on the host. */
export function hostNegatives(negatives: Int32Array | Tensor): Int32Array {
  return isTensor(negatives) ? (negatives.to({ dtype: "int32" }).toTypedArray() as Int32Array) : negatives;
}

/** @throws UserError where masks and negatives are not of these frames, or negatives come without a mask */
export function requireTargetShapes(
  { maskTimeIndices, sampledNegativeIndices: negatives }: GivenTargets,
  [batch, time]: readonly [number, number],
): void {
  if (maskTimeIndices) requireMaskShape(maskTimeIndices, [batch, time]);
  if (!negatives) return;
  if (!maskTimeIndices) {
    throw new UserError("maskTimeIndices must be given with sampledNegativeIndices, but are missing.");
  }
  const frames = batch * time;
  const isTheirs = isTensor(negatives)
    ? negatives.dtype === "int64" &&
      negatives.shape.length === 3 &&
      negatives.shape[0] === batch &&
      negatives.shape[1] === time &&
      negatives.shape[2]! > 0
    : negatives.length > 0 && negatives.length % frames === 0;
  if (isTheirs) return;
  const given = isTensor(negatives)
    ? `${negatives.dtype} [${negatives.shape.join(", ")}]`
    : `${negatives.length} numbers`;
  throw new UserError(
    `sampledNegativeIndices must be int64 [${batch}, ${time}, negatives], but are ${given}.`,
  );
}
