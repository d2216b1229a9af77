import { createConfig, type Wav2Vec2Config } from "./configuration.js";

const LARGE = createConfig({
  hiddenSize: 1024,
  numHiddenLayers: 24,
  numAttentionHeads: 16,
  intermediateSize: 4096,
  codevectorDim: 768,
  projCodevectorDim: 768,
});

/** Layer-normed convolutions with bias and pre-LN layers, which trains more stably at this size. */
const LARGE_STABLE = createConfig(
  { featExtractNorm: "layer", convBias: true, doStableLayerNorm: true },
  LARGE,
);

/**
 * The published shapes, under the names of Hugging Face's checkpoints (https://huggingface.co/facebook):
 * `base` (wav2vec2-base; paper, section 4.2), `large` (wav2vec2-large, LibriSpeech), `large-lv60`
 * (wav2vec2-large-lv60, Libri-Light) and `xlsr-300m` (wav2vec2-xls-r-300m, arXiv 2111.09296), which has the shape of
 * `large-lv60`. Dropouts and masks are Hugging Face's defaults, not those of a checkpoint.
 */
export const PRESETS = {
  base: createConfig(),
  large: LARGE,
  "large-lv60": LARGE_STABLE,
  "xlsr-300m": LARGE_STABLE,
} as const satisfies Record<string, Wav2Vec2Config>;

export type PresetName = keyof typeof PRESETS;
