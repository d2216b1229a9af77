// Which training steps are measured: the recipes for LibriSpeech, a batch a step, clips all of one length, so that this
// project and Hugging Face's do the same work.
import { PRESETS } from "wav2vec2";

const RATE = 16000;
/** LibriSpeech's mean, which `wav2vec2 bench` makes up its clips by, in seconds. */
const CLIP = 12.3;

/** Small enough for any CPU, with every part that the real ones have. */
const TINY = {
  numHiddenLayers: 2,
  hiddenSize: 96,
  intermediateSize: 192,
  numAttentionHeads: 4,
  convDim: Array(7).fill(32),
};

/**
 * @param {boolean} quick
 * @returns what each measures: a recipe and what differs from it, the network, the clips of a batch
 */
export function CASES(quick) {
  const seconds = quick ? 2 : CLIP;
  return [
    // The recipe's batch, which fits any card; and a larger one, which keeps a large card at work.
    { name: "BASE, pre-training", task: "pretrain", preset: "base", batch: 87.5 },
    { name: "BASE, pre-training, four batches in one", task: "pretrain", preset: "base", batch: 350 },
    { name: "LARGE, pre-training", task: "pretrain", preset: "large-lv60", batch: 75 },
    { name: "BASE, fine-tuning", task: "finetune", preset: "base", batch: 200 },
    { name: "LARGE, fine-tuning", task: "finetune", preset: "large-lv60", batch: 100 },
  ].map(({ name, task, preset, batch }, place) => {
    const clips = quick ? 2 : Math.floor(batch / CLIP);
    const samples = Math.round(seconds * RATE);
    const shape = { ...PRESETS[preset], ...(quick && TINY), ...DROPOUTS };
    return {
      name,
      task,
      clips,
      samples,
      batches: quick ? 2 : 10,
      compared: !quick || place % 3 === 0,
      frozenEncoder: task === "finetune",
      config: `configs/${task === "pretrain" ? "pretrain-librispeech-base" : "finetune-librispeech-100h"}.yaml`,
      network: shape,
      shape: huggingFaceShape(shape),
      recipe: {
        preset,
        precision: "bfloat16",
        "max-steps": 1000,
        "gradient-accumulation": 1,
        "data.batch-seconds": clips * seconds + 0.1,
        "data.max-seconds": seconds,
        "data.min-seconds": 1,
        "model.layerdrop": 0,
        "model.hidden-dropout": DROPOUTS.hiddenDropout,
        "model.attention-dropout": DROPOUTS.attentionDropout,
        "model.activation-dropout": DROPOUTS.activationDropout,
        "model.feat-proj-dropout": DROPOUTS.featProjDropout,
        ...(quick && {
          "model.num-hidden-layers": TINY.numHiddenLayers,
          "model.hidden-size": TINY.hiddenSize,
          "model.intermediate-size": TINY.intermediateSize,
          "model.num-attention-heads": TINY.numAttentionHeads,
          "model.conv-dim": JSON.stringify(TINY.convDim),
        }),
        ...(task === "finetune" && { "freeze-backbone-steps": 0 }),
      },
    };
  });
}

/** The same on both sides. Layers that are left out at random would make steps unequal. */
const DROPOUTS = {
  layerdrop: 0,
  hiddenDropout: 0.1,
  attentionDropout: 0.1,
  activationDropout: 0,
  featProjDropout: 0.1,
};

/** Keys of a Wav2Vec2Config of transformers. */
function huggingFaceShape(config) {
  const snake = (name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const known = [
    "featExtractNorm",
    "convBias",
    "doStableLayerNorm",
    "vocabSize",
    ...Object.keys(TINY),
    ...Object.keys(DROPOUTS),
  ];
  const sizes = ["codevectorDim", "projCodevectorDim"];
  return Object.fromEntries([...known, ...sizes].map((name) => [snake(name), config[name]]));
}

/**
 * @param {Record<string, string | number>} recipe keys of a recipe by their options' names
 * @returns {string[]} command-line options
 */
export function recipeOptions(recipe) {
  return Object.entries(recipe).map(([name, value]) => `--${name}=${value}`);
}
