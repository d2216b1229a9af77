import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { PreTrainingCollation } from "../../data/batches/pretraining-collator.js";
import { ConfigurationError } from "../../errors.js";
import { DEFAULT_CONFIG, type Wav2Vec2Config } from "../../model/configuration.js";
import { configWithKeys, readConfig } from "../../model/configuration-file.js";
import type { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import { PRESETS } from "../../model/presets.js";
import { loadModel, type NewHead } from "../../pretrained/model-directory.js";
import { readNormalize } from "../../pretrained/preprocessor.js";
import { hasQuantizer, type PreTrainingModel } from "../../pretrained/pretraining-directory.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { PreTrainingRecipe } from "../recipe/recipe.js";
import { prepareNetwork, requireSameShape } from "../run/initial-model.js";

/** What a recipe makes of a shape. */
export interface PreTrainingSetup {
  config: Wav2Vec2Config;
  /** Of the clips, and what masks and distractors are drawn by. */
  collation: PreTrainingCollation;
}

/** A network's own masks are those of fine-tuning; these are the paper's of pre-training. */
const MASKS = { mask_time_prob: 0.65, mask_time_length: 10, mask_time_min_masks: 2, mask_feature_prob: 0 };

/**
 * The network and the masks of a recipe. Pre-training's masks come with the batches and do not go into the network's
 * configuration, where fine-tuning would find them.
 *
 * @throws ConfigurationError where nothing would be masked
 */
export function pretrainingSetup(recipe: PreTrainingRecipe, base: Wav2Vec2Config): PreTrainingSetup {
  const full = configWithKeys(base, { ...MASKS, ...recipe.model }, "The recipe's model");
  const { convKernel, convStride, maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives } = full;
  if (maskTimeProb === 0) {
    throw new ConfigurationError(
      "model.mask_time_prob must be above 0 for pre-training, but is 0. The paper's is 0.65 with spans of 10 frames.",
    );
  }
  const { padding } = recipe.pretraining;
  const maxSamples = Math.floor(recipe.data.max_seconds * SAMPLE_RATE);
  const masks = { maskTimeProb, maskTimeLength, maskTimeMinMasks, numNegatives };
  const config: Wav2Vec2Config = {
    ...full,
    maskTimeProb: base.maskTimeProb || DEFAULT_CONFIG.maskTimeProb, // what is masked becomes a vector that 0 would leave out
    maskTimeLength: base.maskTimeLength,
    maskTimeMinMasks: base.maskTimeMinMasks,
  };
  return { config, collation: { convKernel, convStride, ...masks, padding, maxSamples } };
}

/** The model to start from: a directory's weights, or random ones as the paper draws them. */
export async function makePreTrainingModel(
  recipe: PreTrainingRecipe,
  init: string | undefined,
  {
    modelClass,
    newHead = "where missing",
    tracker,
  }: {
    modelClass: new (config: Wav2Vec2Config) => Wav2Vec2ForPreTraining;
    newHead?: NewHead | undefined;
    tracker: Tracker;
  },
): Promise<PreTrainingModel & PreTrainingSetup> {
  const base = init ? await readConfig(init) : PRESETS[recipe.preset];
  const setup = pretrainingSetup(recipe, base);
  const quantized = init !== undefined && (await hasQuantizer(init));
  if (init) requireSameShape(init, base, setup.config, quantized ? "network and quantizer" : "network");
  if (init && !quantized)
    tracker.note(`${init} has no quantizer: it and the projections begin with random weights.`);
  const model = init
    ? await loadModel(modelClass, init, {
        config: () => setup.config,
        newHead,
        onNote: (text) => tracker.note(text),
      })
    : new modelClass(setup.config);
  prepareNetwork(model, recipe);
  const normalize = recipe.data.normalize ?? (init ? await readNormalize(init) : true);
  return { model, normalize, ...setup };
}
