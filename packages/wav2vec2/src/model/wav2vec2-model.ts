import { isTensor, nn, type Tensor, where } from "@wav2vec2/libtorch";
import { requireArguments, whole } from "../argument-kinds.js";
import { ConfigurationError } from "../errors.js";
import { Adapter } from "./adapter.js";
import type { Wav2Vec2Config } from "./configuration.js";
import { CONFIG } from "./configuration-kind.js";
import { FeatureEncoder } from "./features/feature-encoder.js";
import { FeatureProjection } from "./features/feature-projection.js";
import { initializeWeights } from "./initialization.js";
import { checkFeatures, checkInput, type Lengths, requireInputs } from "./input.js";
import { type GivenMask, maskTensor, requireMaskShape, torchUniform } from "./masking.js";
import { drawnSpans, featureSpans, type SpanSampler, sampleSpans, timeSpans } from "./span-mask.js";
import { Trace } from "./trace.js";
import { TransformerEncoder } from "./transformer/transformer-encoder.js";

export interface ForwardOptions {
  /** [batch, frames] to mask instead of sampled spans; also where `applySpecAugment` is off. */
  maskTimeIndices?: GivenMask | undefined;
  /** Ask for `hiddenStates`; with "every layer", a layer that LayerDrop left out has its input for its output. */
  outputHiddenStates?: boolean | "every layer" | undefined;
  /** Ask for `attentions`; slower, because fused attention never holds them. */
  outputAttentions?: boolean | undefined;
}

export interface ModelInput extends ForwardOptions {
  /** [batch, samples], zero behind each clip's own samples */
  input: Tensor;
  /** Each clip's own samples; all of them when left out. */
  lengths?: Lengths | undefined;
}

/** What the convolutions made before, in place of the samples. */
export interface FeatureInput extends ForwardOptions {
  /** [batch, feature frames, channels] of {@link Wav2Vec2Model.encode}; what stands behind a clip's own frames is not looked at */
  features: Tensor;
  /** Each clip's own samples. */
  lengths: Lengths;
}

/** Asks for {@link InnerStates.hiddenStates}. */
export interface AsksHiddenStates {
  outputHiddenStates: true;
}

/** Asks for {@link InnerStates.attentions}. */
export interface AsksAttentions {
  outputAttentions: true;
}

/** What is there because it was asked for. */
export interface WithHiddenStates {
  hiddenStates: Tensor[];
}

export interface WithAttentions {
  attentions: Tensor[];
}

/** What a forward pass shows of its inside, where the input asks for it. */
export interface InnerStates {
  /** The first layer's input and each layer's output, [batch, frames, width]; without layers that LayerDrop left out. */
  hiddenStates?: Tensor[] | undefined;
  /** Attention weights of each layer, [batch, heads, frames, frames]. */
  attentions?: Tensor[] | undefined;
}

export interface ModelOutput extends InnerStates {
  /** [batch, frames, width]; fewer frames and `outputHiddenSize` wide where there is an adapter */
  lastHiddenState: Tensor;
  /** Each clip's own frames of it. */
  frames: number[];
  /** Normalised output of the feature encoder, which the quantizer reads, [batch, feature frames, channels] */
  extractFeatures: Tensor;
  /** Output of the feature encoder, [batch, feature frames, channels] */
  convFeatures: Tensor;
  /** Each clip's own frames before the adapter. */
  featureFrames: number[];
}

/** The network without a head. Hugging Face: `Wav2Vec2Model`. */
export class Wav2Vec2Model extends nn.Module {
  featureExtractor: FeatureEncoder;
  featureProjection: FeatureProjection;
  /** What masked frames become, [width]. */
  maskedSpecEmbed: Tensor | undefined;
  encoder: TransformerEncoder;
  adapter: Adapter | undefined;
  /** Draws the frames that are masked in training where none are given. Default: the paper's spans */
  spanSampler: SpanSampler = sampleSpans;
  readonly config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new Wav2Vec2Model", { config: [config, CONFIG] });
    this.config = config;
    this.featureExtractor = new FeatureEncoder(config);
    this.featureProjection = new FeatureProjection(config);
    // As Hugging Face: the vector exists only where something may be masked.
    const masks = config.maskTimeProb > 0 || config.maskFeatureProb > 0;
    this.maskedSpecEmbed = masks ? nn.parameter(nn.init.uniform([config.hiddenSize], 0, 1)) : undefined;
    this.encoder = new TransformerEncoder(config);
    this.adapter = config.addAdapter ? new Adapter(config) : undefined;
    initializeWeights(this, config);
  }

  /** Keeps the convolutions on the waveform as they are, as the paper does in fine-tuning (section 4.3). */
  freezeFeatureEncoder(): void {
    this.featureExtractor.freeze();
  }

  /**
   * Keeps the lowest transformer layers and all below them as they are: convolutions, projection, mask vector and
   * positions. Layers above are trained on what these make.
   *
   * @throws ConfigurationError for more layers than there are
   */
  freezeLayers(count: number): void {
    requireArguments("freezeLayers", { count: [count, whole(0)] });
    const { numHiddenLayers, doStableLayerNorm } = this.config;
    if (count > numHiddenLayers) {
      throw new ConfigurationError(
        `Frozen layers must be at most the model's ${numHiddenLayers}, but are ${count}. Freeze fewer.`,
      );
    }
    if (count === 0) return;
    const { encoder } = this;
    this.featureExtractor.freeze();
    this.featureProjection.freeze();
    if (this.maskedSpecEmbed) this.maskedSpecEmbed.requiresGrad = false;
    encoder.posConvEmbed.freeze();
    if (!doStableLayerNorm) encoder.layerNorm.freeze(); // behind the positions; else behind the last layer
    for (const layer of encoder.layers.slice(0, count)) layer.freeze();
  }

  /**
   * In training, keeps the inputs of transformer layers alone and computes the layers again in the backward pass (Chen
   * et al. 2016, arXiv 1604.06174): the same gradients from less memory and a second forward pass. Not part of the
   * configuration. Hugging Face: `gradient_checkpointing_enable`.
   */
  gradientCheckpointingEnable(enabled = true): void {
    this.encoder.gradientCheckpointing = enabled;
  }

  /**
   * What the convolutions make of the samples, [batch, feature frames, channels]: `forward` takes it as `features`.
   *
   * @throws UserError as {@link forward}
   */
  encode({ input, lengths }: Pick<ModelInput, "input" | "lengths">): Tensor {
    return this.featureExtractor.forward(
      input,
      checkInput(input, lengths, this.config, this.training).lengths,
    );
  }

  /** @throws UserError for an input that is not one channel of finite samples, or too short for a frame */
  forward(
    given: (ModelInput | FeatureInput) & AsksHiddenStates & AsksAttentions,
  ): ModelOutput & WithHiddenStates & WithAttentions;
  forward(given: (ModelInput | FeatureInput) & AsksHiddenStates): ModelOutput & WithHiddenStates;
  forward(given: (ModelInput | FeatureInput) & AsksAttentions): ModelOutput & WithAttentions;
  forward(given: ModelInput | FeatureInput): ModelOutput;
  forward(given: ModelInput | FeatureInput): ModelOutput {
    requireInputs(given);
    const { maskTimeIndices, ...wanted } = given;
    const { features, frames: featureFrames } = this.#features(given);
    const trace = new Trace(wanted);
    const convFeatures = this.#scaleGradient(features); // [batch, frames, channels]
    const { hidden, normalized } = this.featureProjection.forward(convFeatures); // [batch, frames, width]
    const masked = this.#mask(hidden, featureFrames, maskTimeIndices);
    const context = this.encoder.forward(masked, featureFrames, trace); // [batch, frames, width]
    const adapted = this.adapter?.forward(context, featureFrames); // [batch, fewer frames, output width]
    return {
      lastHiddenState: adapted?.hidden ?? context,
      frames: adapted?.frames ?? featureFrames,
      extractFeatures: normalized,
      convFeatures,
      featureFrames,
      hiddenStates: trace.hiddenStates,
      attentions: trace.attentions,
    };
  }

  /** The convolutions' output, computed or given, and each clip's own frames of it. */
  #features(given: ModelInput | FeatureInput): { features: Tensor; frames: number[] } {
    if ("features" in given)
      return { features: given.features, frames: checkFeatures(given.features, given.lengths, this.config) };
    const { lengths, frames } = checkInput(given.input, given.lengths, this.config, this.training);
    return { features: this.featureExtractor.forward(given.input, lengths), frames };
  }

  /** The same values with `featureGradMult` times the gradient: fairseq's `GradMultiply`. */
  #scaleGradient(features: Tensor): Tensor {
    const { featureGradMult } = this.config;
    if (featureGradMult === 1) return features;
    const value = features.detach();
    return features.sub(value).mul(featureGradMult).add(value); // the difference is 0, its gradient is not
  }

  /** SpecAugment (Park et al. 2019, arXiv 1904.08779): time spans get a learned vector, feature spans 0. */
  #mask(hidden: Tensor, frames: readonly number[], given: GivenMask | undefined): Tensor {
    const { config } = this;
    const [batch, time, width] = hidden.shape as [number, number, number];
    const samples = this.training && config.applySpecAugment;
    const uniform = torchUniform();
    let masked = hidden;
    let timeMask: Tensor | undefined;
    if (given) {
      requireMaskShape(given, [batch, time]);
      timeMask = isTensor(given) ? given : maskTensor(given, batch, hidden.device); // [batch, frames]
    } else if (samples && config.maskTimeProb > 0) {
      timeMask = maskTensor(
        drawnSpans(this.spanSampler, frames, time, timeSpans(config), uniform),
        batch,
        hidden.device,
      ); // [batch, frames]
    }
    if (timeMask) {
      masked = where(timeMask.unsqueeze(2), this.#maskVector().to({ dtype: hidden.dtype }), masked);
    }
    if (samples && config.maskFeatureProb > 0) {
      const widths = Array<number>(batch).fill(width);
      const channels = sampleSpans(widths, width, featureSpans(config), uniform); // [batch, width]
      masked = masked.maskedFill(maskTensor(channels, batch, hidden.device).unsqueeze(1), 0);
    }
    return masked;
  }

  #maskVector(): Tensor {
    if (this.maskedSpecEmbed) return this.maskedSpecEmbed;
    throw new ConfigurationError(
      "mask_time_prob or mask_feature_prob must be above 0 for a model to mask frames, but both are 0. " +
        "Set one of them: the vector that masked frames become exists only then.",
    );
  }
}
