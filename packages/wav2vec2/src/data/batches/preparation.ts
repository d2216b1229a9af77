import { BOOLEAN, choice, FINITE, OBJECT, requireArguments, whole } from "../../argument-kinds.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { CONFIG } from "../../model/configuration-kind.js";
import { minimumSamples } from "../../model/lengths.js";
import type { AugmentationOptions } from "./augmentation.js";
import type { CtcCollation } from "./ctc-collator.js";
import type { Preparation } from "./prepare-batch.js";
import type { PreTrainingCollation } from "./pretraining-collator.js";
import type { Transforms } from "./transforms.js";
import { TRANSFORMS } from "./transforms.js";

export interface PreparationOptions<Own = unknown> {
  /** Of augmentation, masks and transforms. Default: 0 */
  seed?: number | undefined;
  /** Whether clips are brought to zero mean and unit variance; `readNormalize` says it of a model's directory. Default: true */
  normalize?: boolean | undefined;
  augmentation?: AugmentationOptions | undefined;
  /** Of `loadTransforms`. */
  transforms?: Transforms<Own> | undefined;
  /** Whether the clips are to train on, which alone have their audio transformed. Default: true */
  training?: boolean | undefined;
}

export type CtcPreparation<Own = unknown> = Preparation<{ task: "ctc" } & CtcCollation, Own>;
export type PreTrainingPreparation<Own = unknown> = Preparation<
  { task: "pretraining" } & PreTrainingCollation,
  Own
>;

const OPTIONS = {
  seed: FINITE,
  normalize: BOOLEAN,
  augmentation: OBJECT,
  transforms: TRANSFORMS,
  training: BOOLEAN,
} satisfies KnownOptions<PreparationOptions>;

/** How clips become batches for CTC: padded, with labels. `loadBatches` makes `CtcBatch`es by it. */
export function ctcPreparation<Own>(
  config: Wav2Vec2Config,
  options: PreparationOptions<Own> & { transforms: Transforms<Own> },
): CtcPreparation<Own> & { transforms: Transforms<Own> };
export function ctcPreparation(config: Wav2Vec2Config, options?: PreparationOptions): CtcPreparation;
export function ctcPreparation(config: Wav2Vec2Config, options: PreparationOptions = {}): CtcPreparation {
  requireArguments("ctcPreparation", { config: [config, CONFIG] });
  requireOptions("ctcPreparation", options, OPTIONS);
  return { ...settings(options), collation: { task: "ctc", minimumSamples: minimumSamples(config) } };
}

/**
 * How clips become batches for pre-training, with masks and distractors: `loadBatches` makes `PreTrainingBatch`es by it.
 *
 * @param config of the network, whose masks are those of pre-training (the paper's: `maskTimeProb` 0.65)
 * @param options.padding as in `PreTrainingCollation`. Default: pad
 */
export function preTrainingPreparation(
  config: Wav2Vec2Config,
  given: PreparationOptions & Partial<Pick<PreTrainingCollation, "padding" | "maxSamples">> = {},
): PreTrainingPreparation {
  requireArguments("preTrainingPreparation", { config: [config, CONFIG] });
  requireOptions("preTrainingPreparation", given, {
    ...OPTIONS,
    padding: choice("pad", "crop"),
    maxSamples: whole(1),
  });
  const { padding = "pad", maxSamples, ...options } = given;
  const { convKernel, convStride, maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives } = config;
  const masks = { maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives };
  const collation = { convKernel, convStride, ...masks, padding, maxSamples };
  return { ...settings(options), collation: { task: "pretraining", ...collation } };
}

function settings({ seed = 0, normalize = true, augmentation, transforms, training }: PreparationOptions) {
  return { seed, normalize, augmentation, transforms, training };
}
