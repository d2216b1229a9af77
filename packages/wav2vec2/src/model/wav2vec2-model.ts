import { nn, type Tensor, where } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "./configuration.js";
import { FeatureEncoder } from "./feature-encoder.js";
import { FeatureProjection } from "./feature-projection.js";
import { initializeWeights } from "./initialization.js";
import { validFrames } from "./lengths.js";
import { maskTensor, sampleSpans, torchUniform } from "./masking.js";
import { TransformerEncoder } from "./transformer-encoder.js";

export interface ModelInput {
  /** [batch, samples], zero behind each clip's own samples */
  input: Tensor;
  /** Each clip's own samples; all of them when left out. */
  lengths?: readonly number[] | undefined;
  /** bool [batch, frames] to mask instead of sampled spans. */
  maskTimeIndices?: Tensor | undefined;
}

export interface ModelOutput {
  /** [batch, frames, width] */
  lastHiddenState: Tensor;
  /** Normalised output of the feature encoder, [batch, frames, channels] */
  extractFeatures: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/** The network without a head. Hugging Face: `Wav2Vec2Model`. */
export class Wav2Vec2Model extends nn.Module {
  featureExtractor: FeatureEncoder;
  featureProjection: FeatureProjection;
  /** What masked frames become, [width]. */
  maskedSpecEmbed: Tensor | undefined;
  encoder: TransformerEncoder;
  readonly config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    this.config = config;
    this.featureExtractor = new FeatureEncoder(config);
    this.featureProjection = new FeatureProjection(config);
    // As Hugging Face: the vector exists only where something may be masked.
    const masks = config.maskTimeProb > 0 || config.maskFeatureProb > 0;
    this.maskedSpecEmbed = masks ? nn.parameter(nn.init.uniform([config.hiddenSize], 0, 1)) : undefined;
    this.encoder = new TransformerEncoder(config);
    initializeWeights(this, config);
  }

  forward({ input, lengths, maskTimeIndices }: ModelInput): ModelOutput {
    const [batch, samples] = input.shape as [number, number];
    const own = lengths ?? Array<number>(batch).fill(samples);
    const frames = validFrames(this.config, own);
    const features = this.featureExtractor.forward(input, own); // [batch, frames, channels]
    const { hidden, normalized } = this.featureProjection.forward(features); // [batch, frames, width]
    const masked = this.#mask(hidden, frames, maskTimeIndices);
    const lastHiddenState = this.encoder.forward(masked, frames); // [batch, frames, width]
    return { lastHiddenState, extractFeatures: normalized, frames };
  }

  /** SpecAugment (Park et al. 2019, arXiv 1904.08779): time spans get a learned vector, feature spans 0. */
  #mask(hidden: Tensor, frames: readonly number[], given: Tensor | undefined): Tensor {
    const { config } = this;
    const [batch, time, width] = hidden.shape as [number, number, number];
    const samples = this.training && config.applySpecAugment;
    const uniform = torchUniform();
    let masked = hidden;
    let timeMask = given;
    if (!timeMask && samples && config.maskTimeProb > 0) {
      const spans = {
        probability: config.maskTimeProb,
        length: config.maskTimeLength,
        minSpans: config.maskTimeMinMasks,
      };
      timeMask = maskTensor(sampleSpans(frames, time, spans, uniform), batch, hidden.device); // [batch, frames]
    }
    if (timeMask && this.maskedSpecEmbed) {
      masked = where(timeMask.unsqueeze(2), this.maskedSpecEmbed.to({ dtype: hidden.dtype }), masked);
    }
    if (samples && config.maskFeatureProb > 0) {
      const spans = {
        probability: config.maskFeatureProb,
        length: config.maskFeatureLength,
        minSpans: config.maskFeatureMinMasks,
      };
      const channels = sampleSpans(Array<number>(batch).fill(width), width, spans, uniform);
      masked = masked.maskedFill(maskTensor(channels, batch, hidden.device).unsqueeze(1), 0);
    }
    return masked;
  }
}
