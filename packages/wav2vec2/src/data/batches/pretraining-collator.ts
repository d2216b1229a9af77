import {
  FINITE,
  FUNCTION,
  isObject,
  type Kind,
  listOf,
  requireArguments,
  SAMPLES,
  whole,
} from "../../argument-kinds.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import { featureFrames, type Wav2Vec2Config } from "../../model/configuration.js";
import { CONFIG } from "../../model/configuration-kind.js";
import { sampleNegatives } from "../../model/heads/pretraining/negatives.js";
import { receptiveField } from "../../model/lengths.js";
import { drawnSpans, type SpanSampler, sampleSpans, timeSpans } from "../../model/span-mask.js";
import { type Allocate, padClips } from "./pad-clips.js";

/** One clip ready for pre-training. */
export interface PreTrainingItem {
  id: string;
  /** [samples], normalised where the model wants it. */
  samples: Float32Array;
}

/** Keys of the model's configuration, and what becomes of clips of different lengths. */
export interface PreTrainingCollation
  extends Pick<
    Wav2Vec2Config,
    "convKernel" | "convStride" | "maskTimeProb" | "maskTimeLength" | "maskTimeMinMasks" | "numNegatives"
  > {
  /**
   * `crop` cuts all clips to the shortest, from a start that is drawn, so that there is no padding, as fairseq does
   * (https://github.com/facebookresearch/fairseq/blob/main/fairseq/data/audio/raw_audio_dataset.py, `collater`).
   * `pad` lengthens them with zeros, which are never masked and no negatives, as Hugging Face does.
   */
  padding: "pad" | "crop";
  /** Longer clips are cut to this, from a start that is drawn; the paper's is 250,000 for BASE. Default: none */
  maxSamples?: number | undefined;
}

export interface PreTrainingBatch {
  ids: string[];
  /** [batch * paddedLength], row by row, zero-padded at the end of each row. */
  input: Float32Array;
  /** Samples of the longest clip. */
  paddedLength: number;
  /** [batch], the clips' lengths in samples. */
  lengths: Int32Array;
  /** [batch], the clips' own frames of the feature encoder. */
  frames: Int32Array;
  /** Frames of a row, `paddedLength`'s. */
  time: number;
  /** [batch * time], 1 on masked frames; the model's `maskTimeIndices`. */
  mask: Uint8Array;
  /** [batch * time * numNegatives], as `sampleNegatives` gives them; the model's `sampledNegativeIndices`. */
  negatives: Int32Array;
  /** Ones in `mask`. With `maskTimeMinMasks` of at least 1 there are some in each clip. */
  maskedFrames: number;
}

const ITEMS = listOf("clips { id, samples }", (item) => isObject(item) && SAMPLES.holds(item.samples));

const COLLATION: Kind = {
  must: "a collation, as preTrainingPreparation makes one of a configuration",
  holds: (value) =>
    CONFIG.holds(value) &&
    isObject(value) &&
    whole(1).holds(value.numNegatives) &&
    FINITE.holds(value.maskTimeProb),
};

/**
 * Puts clips into one batch, with the spans to mask and the distractors of every masked frame (paper, sections 3.1 and
 * 3.2). Clips too short for a frame (400 samples by default) are lengthened with zeros, which count as audio.
 *
 * @param options.spanSampler chooses the masked frames. Default: as the paper
 * @param uniform draws from [0, 1): the starts of what is cut, then the spans, then the negatives
 * @throws ConfigurationError for no clips, or a `maxSamples` that makes no frame
 */
export function collatePreTraining(
  items: readonly PreTrainingItem[],
  options: PreTrainingCollation & { allocate?: Allocate | undefined; spanSampler?: SpanSampler | undefined },
  uniform: () => number,
): PreTrainingBatch {
  requireArguments("collatePreTraining", {
    items: [items, ITEMS],
    options: [options, COLLATION],
    uniform: [uniform, FUNCTION],
  });
  if (items.length === 0)
    throw new ConfigurationError("items of collatePreTraining must hold at least one clip, but is empty.");
  const { maxSamples = Number.POSITIVE_INFINITY, padding, numNegatives, allocate } = options;
  const { spanSampler = sampleSpans } = options;
  const least = receptiveField(options);
  if (!(maxSamples >= least))
    throw new ConfigurationError(
      `maxSamples must be at least ${least}, which make a frame, but is ${describeValue(maxSamples)}.`,
    );

  const own = items.map(({ samples }) => Math.min(Math.max(samples.length, least), maxSamples));
  const shortest = own.reduce((least, length) => Math.min(least, length));
  const lengths = Int32Array.from(own, (length) => (padding === "crop" ? shortest : length));
  const paddedLength = lengths.reduce((longest, length) => Math.max(longest, length));
  const clips = items.map(({ samples }, row) => crop(samples, lengths[row]!, uniform));

  const frames = lengths.map((length) => featureFrames(options, length));
  const time = featureFrames(options, paddedLength);
  const mask = drawnSpans(spanSampler, Array.from(frames), time, timeSpans(options), uniform);
  return {
    ids: items.map(({ id }) => id),
    input: padClips(clips, paddedLength, allocate),
    paddedLength,
    lengths,
    frames,
    time,
    mask,
    negatives: sampleNegatives(mask, time, numNegatives, uniform),
    maskedFrames: mask.reduce((sum, value) => sum + value, 0),
  };
}

/** So many samples from anywhere in the clip, each start as likely; the whole clip where it is not longer. */
function crop(samples: Float32Array, length: number, uniform: () => number): Float32Array {
  if (samples.length <= length) return samples;
  const start = Math.floor(uniform() * (samples.length - length + 1));
  return samples.subarray(start, start + length);
}
