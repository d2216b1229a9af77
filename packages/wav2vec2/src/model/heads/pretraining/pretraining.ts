import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../../argument-kinds.js";
import { ConfigurationError, UserError } from "../../../errors.js";
import type { Wav2Vec2Config } from "../../configuration.js";
import { CONFIG } from "../../configuration-kind.js";
import { checkInput, MODEL_INPUTS, requireInputs } from "../../input.js";
import { frameMask, maskTensor } from "../../masking.js";
import {
  type AsksAttentions,
  type AsksHiddenStates,
  type InnerStates,
  type ModelInput,
  Wav2Vec2Model,
  type WithAttentions,
  type WithHiddenStates,
} from "../../wav2vec2-model.js";
import { type PreTrainingLoss, pretrainingLoss } from "./pretraining-loss.js";
import {
  type GivenTargets,
  hostMask,
  hostNegatives,
  negativesFor,
  type PreTrainingTargets,
  requireTargetShapes,
  samplePreTrainingTargets,
} from "./pretraining-targets.js";
import { GumbelVectorQuantizer } from "./quantizer.js";

const INPUTS = [
  ...MODEL_INPUTS.filter((name) => name !== "features"),
  "sampledNegativeIndices",
  "gumbelNoise",
];

export interface PreTrainingInput extends ModelInput, GivenTargets {
  /** [batch, frames, groups, entries] to take for the quantizer's Gumbel noise in training. */
  gumbelNoise?: Tensor | undefined;
}

/** Masks and negatives, with which there is always a loss. */
type AllTargets = Readonly<Record<keyof GivenTargets, NonNullable<unknown>>>;

export interface PreTrainingOutput extends InnerStates, Partial<PreTrainingLoss> {
  /** The transformer's outputs in the space where they are compared, [batch, frames, projCodevectorDim] */
  projectedStates: Tensor;
  /** The quantized features there, [batch, frames, projCodevectorDim] */
  projectedQuantizedStates: Tensor;
  /** Entries chosen, int64 [batch, frames, groups] */
  codes: Tensor;
  /** Perplexity of each codebook over masked frames, or over all where nothing is masked, [groups] */
  perplexities: Tensor;
  /** Their sum, at most groups * entries. */
  codevectorPerplexity: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/**
 * Self-supervised learning: find the quantized features of masked frames among distractors (paper, section 3.2).
 * Hugging Face: `Wav2Vec2ForPreTraining`.
 */
export class Wav2Vec2ForPreTraining extends nn.Module {
  wav2vec2: Wav2Vec2Model;
  dropoutFeatures: nn.Dropout;
  quantizer: GumbelVectorQuantizer;
  projectHid: nn.Linear;
  projectQ: nn.Linear;
  readonly config: Wav2Vec2Config;

  /**
   * @throws ConfigurationError with `add_adapter`: its output has fewer frames than there are targets; and for another
   * `model_type` than `wav2vec2`, whose networks were pre-trained otherwise
   */
  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new Wav2Vec2ForPreTraining", { config: [config, CONFIG] });
    if (config.modelType !== "wav2vec2") {
      throw new ConfigurationError(
        `model_type must be "wav2vec2" for pre-training, but is "${config.modelType}", which was pre-trained by another method. ` +
          "Fine-tune it, or start from a wav2vec 2.0 model.",
      );
    }
    if (config.addAdapter) {
      throw new ConfigurationError(
        "add_adapter must be false for pre-training, but is true. Shortened outputs have no target each.",
      );
    }
    this.config = config;
    this.wav2vec2 = new Wav2Vec2Model(config);
    this.dropoutFeatures = new nn.Dropout(config.featQuantizerDropout);
    this.quantizer = new GumbelVectorQuantizer(config);
    this.projectHid = new nn.Linear(config.hiddenSize, config.projCodevectorDim);
    this.projectQ = new nn.Linear(config.codevectorDim, config.projCodevectorDim);
  }

  freezeFeatureEncoder(): void {
    this.wav2vec2.freezeFeatureEncoder();
  }

  /** As {@link Wav2Vec2Model.gradientCheckpointingEnable}. */
  gradientCheckpointingEnable(enabled = true): void {
    this.wav2vec2.gradientCheckpointingEnable(enabled);
  }

  /** Of the quantizer's Gumbel softmax. @throws UserError unless it is above 0 */
  setGumbelTemperature(temperature: number): void {
    if (!(temperature > 0))
      throw new UserError(`The Gumbel temperature must be above 0, but is ${temperature}.`);
    this.quantizer.temperature = temperature;
  }

  /**
   * In training, masks and negatives that are not given are sampled as the configuration says. There is a loss where
   * there are both.
   *
   * @throws UserError as {@link Wav2Vec2Model.forward}, and for masks and negatives of other shapes than the frames'
   */
  forward(
    given: PreTrainingInput & AsksHiddenStates & AsksAttentions,
  ): PreTrainingOutput & WithHiddenStates & WithAttentions;
  forward(given: PreTrainingInput & AsksHiddenStates): PreTrainingOutput & WithHiddenStates;
  forward(given: PreTrainingInput & AsksAttentions): PreTrainingOutput & WithAttentions;
  forward(given: PreTrainingInput & AllTargets): PreTrainingOutput & PreTrainingLoss;
  forward(given: PreTrainingInput): PreTrainingOutput;
  forward(given: PreTrainingInput): PreTrainingOutput {
    requireInputs(given, INPUTS);
    const { gumbelNoise, sampledNegativeIndices: _, ...input } = given;
    const { maskTimeIndices: mask, sampledNegativeIndices: negatives } = this.#targets(given);
    const { device } = input.input;
    const maskTimeIndices = mask && maskTensor(mask, input.input.shape[0]!, device); // [batch, frames]
    const outputs = this.wav2vec2.forward({ ...input, maskTimeIndices });
    const projectedStates = this.projectHid.forward(outputs.lastHiddenState); // [batch, frames, common width]

    const features = this.dropoutFeatures.forward(outputs.extractFeatures); // [batch, frames, channels]
    const counted = maskTimeIndices ?? frameMask(outputs.frames, features.shape[1]!, device);
    const { quantized, codes, perplexities } = this.quantizer.forward(features, counted, gumbelNoise);
    const projectedQuantizedStates = this.projectQ.forward(quantized); // [batch, frames, common width]

    const { frames, hiddenStates, attentions } = outputs;
    const codevectorPerplexity = perplexities.sum();
    const projected = {
      projectedStates,
      projectedQuantizedStates,
      codes,
      perplexities,
      codevectorPerplexity,
    };
    const output = { ...projected, frames, hiddenStates, attentions };
    if (!mask || !negatives) return output;
    const compared = {
      predicted: projectedStates,
      targets: projectedQuantizedStates,
      codes,
      mask,
      negatives,
    };
    const conv = { features: outputs.convFeatures, frames };
    return { ...output, ...pretrainingLoss(this.config, compared, codevectorPerplexity, conv) };
  }

  /** Padding has nothing to be learned; with `referencePadding` it counts, as for Hugging Face. */
  #onSpeech(mask: Uint8Array, frames: readonly number[], time: number): Uint8Array {
    if (this.config.referencePadding) return mask;
    return mask.map((value, frame) => (frame % time < frames[Math.floor(frame / time)]! ? value : 0));
  }

  /** What is given, and in training what is missing. */
  #targets(input: PreTrainingInput): {
    [Name in keyof PreTrainingTargets]?: PreTrainingTargets[Name] | undefined;
  } {
    const { frames, time } = checkInput(input.input, input.lengths, this.config, this.training);
    requireTargetShapes(input, [frames.length, time]);
    const { maskTimeIndices: mask, sampledNegativeIndices: given } = input;
    const maskTimeIndices = mask && this.#onSpeech(hostMask(mask), frames, time);
    if (!this.training || given)
      return { maskTimeIndices, sampledNegativeIndices: given && hostNegatives(given) };
    if (!maskTimeIndices)
      return samplePreTrainingTargets(this.config, frames, time, this.wav2vec2.spanSampler);
    return {
      maskTimeIndices,
      sampledNegativeIndices: negativesFor(maskTimeIndices, time, this.config.numNegatives),
    };
  }
}
