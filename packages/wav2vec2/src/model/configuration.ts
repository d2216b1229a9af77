import type { nn } from "@wav2vec2/libtorch";
import { stateName } from "@wav2vec2/libtorch/state-name";
import { FINITE, OBJECT, requireArguments } from "../argument-kinds.js";
import { ConfigurationError } from "../errors.js";
import { CONFIG } from "./configuration-kind.js";
import { checkConfig } from "./configuration-rules.js";
import type { ModelType } from "./model-type.js";

/**
 * What a wav2vec 2.0 network is made of: the keys of Hugging Face's `config.json` in camelCase, with its defaults
 * (https://github.com/huggingface/transformers/blob/main/src/transformers/models/wav2vec2/configuration_wav2vec2.py).
 * Probabilities are shares in [0, 1]; "paper" is arXiv 2006.11477.
 */
export interface Wav2Vec2Config {
  /** Which of the networks that compute as this one it is; a model of another type has keys of its own below. */
  readonly modelType: ModelType;
  /** Outputs of the CTC head, the blank among them; null where a model has no such head. */
  readonly vocabSize: number | null;
  /** Width of the transformer. */
  readonly hiddenSize: number;
  readonly numHiddenLayers: number;
  /** 12 in every published BASE model; the paper's text says 8. */
  readonly numAttentionHeads: number;
  /** Width of the feed-forward blocks. */
  readonly intermediateSize: number;
  /** Activation of the feed-forward blocks. */
  readonly hiddenAct: nn.ActivationName;

  /** Dropout behind attention, the feed-forward block and the positional embedding. */
  readonly hiddenDropout: number;
  /** Dropout inside the feed-forward block. */
  readonly activationDropout: number;
  /** Dropout of attention weights. */
  readonly attentionDropout: number;
  /** Dropout behind the feature projection. */
  readonly featProjDropout: number;
  /** Dropout of the features the quantizer reads. */
  readonly featQuantizerDropout: number;
  /** Dropout before the CTC head. */
  readonly finalDropout: number;
  /** Probability of skipping a transformer layer in training. */
  readonly layerdrop: number;

  /** Standard deviation of the linear layers' first weights. */
  readonly initializerRange: number;
  readonly layerNormEps: number;

  /** `group`: one norm on the first convolution (base). `layer`: one on each (large). */
  readonly featExtractNorm: "group" | "layer";
  /** Activation of the convolutions, the positional one among them. */
  readonly featExtractActivation: nn.ActivationName;
  /** Channels, stride and kernel of each convolution on the waveform; equally long. */
  readonly convDim: readonly number[];
  readonly convStride: readonly number[];
  readonly convKernel: readonly number[];
  readonly convBias: boolean;
  /** LayerNorm before the projection; some HuBERT models have none. */
  readonly featProjLayerNorm: boolean;

  /** Kernel of the positional convolution, in frames; with data2vec-audio how many convolutions there are in a row. */
  readonly numConvPosEmbeddings: number;
  readonly numConvPosEmbeddingGroups: number;
  /** Kernel of each of data2vec-audio's positional convolutions, in frames. */
  readonly convPosKernelSize: number;
  /** Batch norm before the positional convolution instead of weight norm; some HuBERT models have it. */
  readonly convPosBatchNorm: boolean;
  /** LayerNorm before attention and feed-forward (large) instead of behind them (base). */
  readonly doStableLayerNorm: boolean;

  /** Mask spans of the features in training (paper, section 3.1; in fine-tuning, section 4.3). */
  readonly applySpecAugment: boolean;
  /** Expected share of frames in spans if spans did not overlap: 0.65 here is the paper's 0.065 starts x 10. */
  readonly maskTimeProb: number;
  /** Frames a span. */
  readonly maskTimeLength: number;
  readonly maskTimeMinMasks: number;
  /** The same over channels. */
  readonly maskFeatureProb: number;
  readonly maskFeatureLength: number;
  readonly maskFeatureMinMasks: number;

  /** Entries of each codebook, V in the paper. */
  readonly numCodevectorsPerGroup: number;
  /** Codebooks, G in the paper. */
  readonly numCodevectorGroups: number;
  /** Temperature of the contrastive loss, kappa in the paper. */
  readonly contrastiveLogitsTemperature: number;
  /** Distractors for each masked frame, K in the paper. */
  readonly numNegatives: number;
  /** Width of a quantized vector: all codebooks' entries side by side. */
  readonly codevectorDim: number;
  /** Width in which outputs and quantized vectors are compared. */
  readonly projCodevectorDim: number;
  /** Weight of the diversity loss, alpha in the paper. */
  readonly diversityLossWeight: number;

  readonly ctcLossReduction: "sum" | "mean";
  /** Count utterances with more labels than frames as loss 0 instead of infinity. */
  readonly ctcZeroInfinity: boolean;

  /** The CTC blank; null where a model has no CTC head. */
  readonly padTokenId: number | null;
  readonly bosTokenId: number | null;
  readonly eosTokenId: number | readonly number[] | null;

  /** Convolutions behind the encoder that shorten its output. */
  readonly addAdapter: boolean;
  readonly adapterKernelSize: number;
  readonly adapterStride: number;
  readonly numAdapterLayers: number;
  /** Width behind the adapter; the transformer's unless said otherwise. */
  readonly outputHiddenSize: number;
  /** Width of the attention adapters inside each layer of `doStableLayerNorm`; null for none. */
  readonly adapterAttnDim: number | null;

  /** Heads read a weighted sum of all layers' outputs, whose weights are learned (Yang et al. 2021, arXiv 2105.01051). */
  readonly useWeightedLayerSum: boolean;
  /** Width between the network and the scores of `Wav2Vec2ForSequenceClassification`. */
  readonly classifierProjSize: number;
  /** Width, kernel and dilation of each time-delay layer of `Wav2Vec2ForXVector`; equally long. */
  readonly tdnnDim: readonly number[];
  readonly tdnnKernel: readonly number[];
  readonly tdnnDilation: readonly number[];
  /** Width of its embedding of a clip. */
  readonly xvectorOutputDim: number;
  /** Names of the labels of a classification head; a label's id is its place. `config.json` has it as an object. */
  readonly id2label: readonly string[];
  /**
   * Whether a frame of `Wav2Vec2ForAudioFrameClassification` has one label or any number of them; null is one, as Hugging
   * Face computes it whatever stands here.
   */
  readonly problemType: "regression" | "single_label_classification" | "multi_label_classification" | null;

  // Keys of this project's own; `config.json` holds them only where they differ from the default.

  /**
   * Let a padded batch's zeros into the statistics of `featExtractNorm: "group"` and into the adapter convolutions, as
   * Hugging Face does. By default a clip's output does not depend on the batch it is in.
   */
  readonly referencePadding: boolean;
  /** The gradient into the convolutions on the waveform is multiplied by this. fairseq's pre-training: 0.1. */
  readonly featureGradMult: number;
  /** Weight of the mean square of the convolutions' output in the pre-training loss. fairseq's BASE: 10. */
  readonly featurePenaltyWeight: number;

  /** Keys of a `config.json` that nothing here reads, kept for writing it back. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Hugging Face's defaults: BASE. */
export const DEFAULT_CONFIG: Wav2Vec2Config = sealed({
  modelType: "wav2vec2",
  vocabSize: 32,
  hiddenSize: 768,
  numHiddenLayers: 12,
  numAttentionHeads: 12,
  intermediateSize: 3072,
  hiddenAct: "gelu",
  hiddenDropout: 0.1,
  activationDropout: 0.1,
  attentionDropout: 0.1,
  featProjDropout: 0,
  featQuantizerDropout: 0,
  finalDropout: 0.1,
  layerdrop: 0.1,
  initializerRange: 0.02,
  layerNormEps: 1e-5,
  featExtractNorm: "group",
  featExtractActivation: "gelu",
  convDim: [512, 512, 512, 512, 512, 512, 512],
  convStride: [5, 2, 2, 2, 2, 2, 2],
  convKernel: [10, 3, 3, 3, 3, 2, 2],
  convBias: false,
  featProjLayerNorm: true,
  numConvPosEmbeddings: 128,
  numConvPosEmbeddingGroups: 16,
  convPosKernelSize: 19,
  convPosBatchNorm: false,
  doStableLayerNorm: false,
  applySpecAugment: true,
  maskTimeProb: 0.05,
  maskTimeLength: 10,
  maskTimeMinMasks: 2,
  maskFeatureProb: 0,
  maskFeatureLength: 10,
  maskFeatureMinMasks: 0,
  numCodevectorsPerGroup: 320,
  numCodevectorGroups: 2,
  contrastiveLogitsTemperature: 0.1,
  numNegatives: 100,
  codevectorDim: 256,
  projCodevectorDim: 256,
  diversityLossWeight: 0.1,
  ctcLossReduction: "sum",
  ctcZeroInfinity: false,
  padTokenId: 0,
  bosTokenId: 1,
  eosTokenId: 2,
  addAdapter: false,
  adapterKernelSize: 3,
  adapterStride: 2,
  numAdapterLayers: 3,
  outputHiddenSize: 768,
  adapterAttnDim: null,
  useWeightedLayerSum: false,
  classifierProjSize: 256,
  tdnnDim: [512, 512, 512, 512, 1500],
  tdnnKernel: [5, 3, 3, 1, 1],
  tdnnDilation: [1, 2, 3, 1, 1],
  xvectorOutputDim: 512,
  id2label: ["LABEL_0", "LABEL_1"],
  problemType: null,
  referencePadding: false,
  featureGradMult: 1,
  featurePenaltyWeight: 0,
  extra: {},
});

/** Hugging Face's defaults for a type, which leaves keys out of its `config.json` that the network has no use for. */
export function defaultsOf(modelType: ModelType): Wav2Vec2Config {
  if (modelType !== "data2vec-audio") return createConfig({ modelType });
  return createConfig({ modelType, featExtractNorm: "layer", numConvPosEmbeddings: 5 });
}

/**
 * A checked, frozen configuration: `base` with `overrides`.
 * @throws {ConfigurationError} naming every value that is wrong, under Hugging Face's key
 */
export function createConfig(
  overrides: Partial<Wav2Vec2Config> = {},
  base: Wav2Vec2Config = DEFAULT_CONFIG,
): Wav2Vec2Config {
  requireArguments("createConfig", { overrides: [overrides, OBJECT], base: [base, CONFIG] });
  return completeConfig(overrides, base, "The model configuration");
}

/** {@link createConfig} for values that no compiler has seen: they come from `source`. */
export function completeConfig(
  values: Readonly<Record<string, unknown>>,
  base: Wav2Vec2Config,
  source: string,
): Wav2Vec2Config {
  const merged: Record<string, unknown> = { ...base, ...values };
  // The output follows the transformer's width until something sets it apart.
  if (values.outputHiddenSize === undefined || values.outputHiddenSize === null) {
    merged.outputHiddenSize =
      base.outputHiddenSize === base.hiddenSize ? merged.hiddenSize : base.outputHiddenSize;
  }
  return sealed(structuredClone(checkConfig(merged, source)));
}

/** @throws {ConfigurationError} naming every value that is wrong, under Hugging Face's key */
export function validateConfig(config: Wav2Vec2Config, source = "The model configuration"): void {
  checkConfig({ ...config }, source);
}

/**
 * Frames the feature encoder makes of so many samples: floor((n - kernel) / stride) + 1 for each convolution, 0 where
 * the sound is shorter than the receptive field (400 samples by default).
 */
export function featureFrames(
  config: Pick<Wav2Vec2Config, "convKernel" | "convStride">,
  samples: number,
): number {
  requireArguments("featureFrames", { config: [config, CONFIG], samples: [samples, FINITE] });
  let frames = samples;
  for (const [layer, kernel] of config.convKernel.entries()) {
    if (frames < kernel) return 0;
    frames = Math.floor((frames - kernel) / config.convStride[layer]!) + 1;
  }
  return frames;
}

/** Frames the adapter's convolutions (kernel, stride, padding 1) make of so many; as many where there is no adapter. */
export function adapterFrames(
  config: Pick<Wav2Vec2Config, "addAdapter" | "adapterKernelSize" | "adapterStride" | "numAdapterLayers">,
  frames: number,
): number {
  requireArguments("adapterFrames", { config: [config, OBJECT], frames: [frames, FINITE] });
  let shortened = frames;
  for (let layer = 0; config.addAdapter && layer < config.numAdapterLayers; layer++) {
    shortened = Math.max(
      0,
      Math.floor((shortened + 2 - config.adapterKernelSize) / config.adapterStride) + 1,
    );
  }
  return shortened;
}

/** Frozen; who sets a key, also under Hugging Face's name of it, is told how to have another configuration. */
function sealed(config: Wav2Vec2Config): Wav2Vec2Config {
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === "object" && value !== null) deepFreeze(value);
    const set = (given: unknown): never => refuseChange(key, given);
    Object.defineProperty(config, key, { enumerable: true, get: () => value, set });
    const inFiles = stateName(key);
    if (inFiles !== key) Object.defineProperty(config, inFiles, { enumerable: false, set });
  }
  const inspected = { value: () => ({ ...config }) };
  Object.defineProperty(config, Symbol.for("nodejs.util.inspect.custom"), inspected); // values, not accessors
  return Object.freeze(config);
}

function refuseChange(key: string, given: unknown): never {
  const change = `{ ${key}: ${JSON.stringify(given)} }`;
  throw new ConfigurationError(
    `${key} of a model's configuration must stay as the model was made, but was to become ${JSON.stringify(given)}. ` +
      `Make the configuration anew before the model: loadModel(Model, directory, { config: ${change} }), ` +
      `or createConfig(${change}, config).`,
  );
}

function deepFreeze<T extends object>(object: T): T {
  for (const value of Object.values(object)) {
    if (typeof value === "object" && value !== null && !Object.isFrozen(value)) deepFreeze(value);
  }
  return Object.freeze(object);
}
