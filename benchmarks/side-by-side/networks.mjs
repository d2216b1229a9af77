// The networks, with random weights: one directory for all programs. What a network computes in takes no part in how long
// it takes, so nothing needs to be downloaded.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { manualSeed, noGrad } from "@wav2vec2/libtorch";
import {
  CtcTokenizer,
  createConfig,
  loadRecipe,
  PRESETS,
  saveCtcModel,
  savePreTrainingModel,
  Vocabulary,
  Wav2Vec2ForCTC,
  Wav2Vec2ForPreTraining,
} from "wav2vec2";
import { pretrainingSetup } from "../../packages/wav2vec2/dist/training/pretraining/pretraining-model.js";
import { TOKENS } from "../emissions.mjs";

const RECIPE = fileURLToPath(new URL("../../configs/pretrain-tiny.yaml", import.meta.url));
const TINY = pretrainingSetup(
  loadRecipe(RECIPE, {}, undefined, { fallback: { "data.root": "" } }),
  PRESETS.base,
);

/** The paper's masks, which are fine-tuning's no more. */
const MASKS = { maskTimeProb: 0.65, maskTimeLength: 10, maskTimeMinMasks: 2 };
/** Layers that are left out at random would make steps unequal. */
const ALWAYS = { layerdrop: 0, ctcZeroInfinity: true };

/** Shapes by their names; what is not for pre-training has a CTC head. */
export const NETWORKS = {
  base: { config: createConfig({ ...ALWAYS }, PRESETS.base) },
  large: { config: createConfig({ ...ALWAYS }, PRESETS["large-lv60"]) },
  tiny: { config: createConfig({ ...ALWAYS }, TINY.config) },
  "base-pretraining": { config: createConfig({ ...ALWAYS }, PRESETS.base), masks: MASKS },
  "tiny-pretraining": { config: createConfig({ ...ALWAYS }, TINY.config), masks: masksOf(TINY.collation) },
};

function masksOf({ maskTimeProb, maskTimeLength, maskTimeMinMasks }) {
  return { maskTimeProb, maskTimeLength, maskTimeMinMasks };
}

/**
 * @param {string} folder
 * @param {keyof NETWORKS} name
 * @returns {Promise<string>} its model directory in Hugging Face's layout, written where it is not there yet
 */
export async function writeNetwork(folder, name) {
  const directory = join(folder, name);
  if (existsSync(join(directory, "config.json"))) return directory;
  mkdirSync(folder, { recursive: true });
  const { config, masks } = NETWORKS[name];
  manualSeed(1);
  if (masks) {
    await savePreTrainingModel(directory, { model: new Wav2Vec2ForPreTraining(config), normalize: true });
    return directory;
  }
  const model = new Wav2Vec2ForCTC(createConfig({ vocabSize: TOKENS.length, padTokenId: 0 }, config));
  // A new head prefers the blank, and texts would be empty.
  noGrad(() => model.lmHead.bias.zero_());
  await saveCtcModel(directory, {
    model,
    tokenizer: new CtcTokenizer(new Vocabulary(TOKENS)),
    normalize: true,
  });
  return directory;
}
