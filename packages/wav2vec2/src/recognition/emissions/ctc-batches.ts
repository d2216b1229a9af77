import { fromHost, type Tensor } from "@wav2vec2/libtorch";
import { ITERABLE, isObject, type Kind, OBJECT, requireArguments, UTTERANCES } from "../../argument-kinds.js";
import type { AugmentationOptions } from "../../data/batches/augmentation.js";
import type { BatchLimits, PlannedBatch } from "../../data/batches/batches.js";
import type { CtcBatch } from "../../data/batches/ctc-collator.js";
import {
  type BatchLoadOptions,
  type EmptyBatch,
  type Placed,
  plannedBatches,
  type RefusesBadAudio,
} from "../../data/batches/load-batches.js";
import { textTransform } from "../../data/batches/load-transforms.js";
import { ctcPreparation } from "../../data/batches/preparation.js";
import type { ClipJob } from "../../data/batches/prepare-batch.js";
import type { Transforms } from "../../data/batches/transforms.js";
import type { TranscribedUtterance } from "../../data/utterance.js";
import { adapterFrames, featureFrames, type Wav2Vec2Config } from "../../model/configuration.js";
import type { CtcOutput, Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { minimumSamples } from "../../model/lengths.js";
import { MODULE } from "../../module-kinds.js";
import { computeIn } from "../../precision/compute-in.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import type { Emissions } from "./emissions.js";
import { requireFiniteWeights } from "./finite-weights.js";

export type { Emissions } from "./emissions.js";

export type CtcTrainingBatch = CtcBatch & Placed;

export interface CtcBatchOptions extends BatchLoadOptions {
  /** What a character outside the vocabulary is: an error, or the unknown token in labels. Default: error */
  unknown?: "error" | "token" | undefined;
  /** What augmentation depends on besides the epoch and the utterance. */
  seed?: number | undefined;
  augmentation?: AugmentationOptions | undefined;
  /** What a module of one's own does to clips, of `loadTransforms`; a collator of its own adds to the batches. */
  transforms?: Transforms | undefined;
  /** Whether the clips are to train on. Default: true */
  training?: boolean | undefined;
}

/** What batches for CTC are made by: a {@link CtcModel}, of whose network the configuration is enough. */
export type CtcBatchMaker = Pick<CtcModel, "tokenizer" | "normalize"> & { model: { config: Wav2Vec2Config } };

const ENCODING: Kind = {
  must: "{ model, tokenizer, normalize } as loadCtcModel gives it",
  holds: (value) => isObject(value) && isObject(value.model) && isObject(value.tokenizer),
};

/**
 * The audio and labels of planned batches. A transform of texts changes what labels are made of.
 *
 * @returns batches, each valid until the next is asked for, with their places in the plan; with `onBadAudio: "skip"` empty
 * ones (`isEmpty`) where no clip could be read
 * @throws UserError as `loadBatches`, and for characters outside the vocabulary
 */
export function ctcBatches(
  ctc: CtcBatchMaker,
  utterances: readonly TranscribedUtterance[],
  plan: Iterable<PlannedBatch>,
  options?: CtcBatchOptions & RefusesBadAudio,
): AsyncGenerator<CtcTrainingBatch>;
export function ctcBatches(
  ctc: CtcBatchMaker,
  utterances: readonly TranscribedUtterance[],
  plan: Iterable<PlannedBatch>,
  options: CtcBatchOptions,
): AsyncGenerator<CtcTrainingBatch | EmptyBatch>;
export async function* ctcBatches(
  ctc: CtcBatchMaker,
  utterances: readonly TranscribedUtterance[],
  plan: Iterable<PlannedBatch>,
  given: CtcBatchOptions = {},
): AsyncGenerator<CtcTrainingBatch | EmptyBatch> {
  requireArguments("ctcBatches", {
    ctc: [ctc, ENCODING],
    utterances: [utterances, UTTERANCES],
    plan: [plan, ITERABLE],
    options: [given, OBJECT],
  });
  const { model, tokenizer, normalize } = ctc;
  const { unknown = "error", seed = 0, augmentation, transforms, training = true, ...options } = given;
  const preparation = ctcPreparation(model.config, { seed, normalize, augmentation, transforms, training });
  const textOf = await textTransform(transforms, { seed, training });
  const clipOf = (index: number, epoch: number): ClipJob => {
    const utterance = utterances[index]!;
    const { id, path, samples, start, end } = utterance;
    const labels = tokenizer.encode(textOf(utterance, epoch), { utterance: id, unknown });
    // A collator of one's own may want to know more of a clip.
    return transforms?.hooks.includes("collate")
      ? { ...utterance, labels }
      : { id, path, samples, start, end, labels };
  };
  yield* plannedBatches(plan, preparation, clipOf, options);
}

/** The limits that are given; where none is, `seconds` of audio. */
export function batchLimits({ batchSeconds, batchSize }: BatchLimits, seconds: number): BatchLimits {
  return { batchSize, batchSeconds: batchSeconds ?? (batchSize === undefined ? seconds : undefined) };
}

/** Scores of a batch's clips, [batch, frames, vocabulary], and each clip's own frames. */
export function forwardBatch(model: Wav2Vec2ForCTC, batch: CtcBatch): CtcOutput {
  requireArguments("forwardBatch", { model: [model, MODULE], batch: [batch, OBJECT] });
  const input = fromHost(batch.input, [batch.ids.length, batch.paddedLength], model.device);
  return model.forward({ input, lengths: batch.lengths });
}

/** What decoding needs of a batch. */
export interface BatchScores {
  /** [batch, frames, vocabulary] in float32, on the model's device */
  logits: Tensor;
  /** The same on the host. */
  values: Float32Array;
  /** Each clip's own frames. */
  frames: number[];
}

/**
 * {@link forwardBatch} for decoding, in the model's precision. The scores come to the host in one copy.
 *
 * @throws UserError where the scores are no numbers, naming the weights that are to blame
 */
export function scoreBatch(
  { model, precision = "float32" }: Pick<CtcModel, "model" | "precision">,
  batch: CtcBatch,
): BatchScores {
  const { logits: scores, frames } = computeIn(precision, model.device, () => forwardBatch(model, batch));
  const logits = scores.to({ dtype: "float32" });
  const values = logits.toFloat32Array();
  const sum = values.reduce((total, value) => total + value, 0);
  if (!Number.isFinite(sum)) requireFiniteWeights(model); // otherwise the decoder looks at each frame
  return { logits, values, frames };
}

/** What decoders read: each clip's own frames, [frames * vocabulary]. */
export function clipEmissions({ logits, values, frames }: BatchScores): Emissions[] {
  const [, time, tokens] = logits.shape as [number, number, number];
  return frames.map((count, row) => ({
    logits: values.slice(row * time * tokens, (row * time + count) * tokens),
    frames: count,
  }));
}

/** Frames that labels can be aligned to; clips too short for one are padded to it. */
export function paddedFrames(config: Wav2Vec2Config, samples: number): number {
  return adapterFrames(config, featureFrames(config, Math.max(samples, minimumSamples(config))));
}
