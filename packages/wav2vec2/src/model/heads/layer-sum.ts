import { nn, type Tensor } from "@wav2vec2/libtorch";
import { ConfigurationError, UserError } from "../../errors.js";
import type { Wav2Vec2Config } from "../configuration.js";
import type { FeatureInput, InnerStates, ModelInput } from "../wav2vec2-model.js";
import { ModelWithHead } from "./model-with-head.js";

/** What a classification head reads. */
export interface Hidden extends InnerStates {
  /** [batch, frames, width] */
  hidden: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/**
 * A network whose head reads the last layer's output or, with `use_weighted_layer_sum`, a weighted sum of what all layers
 * put out: which layer knows most differs from task to task (SUPERB, Yang et al. 2021, arXiv 2105.01051).
 */
export abstract class ModelWithLayerSum extends ModelWithHead {
  /** Weights of the first layer's input and each layer's output before their softmax, [layers + 1]. */
  layerWeights: Tensor | undefined;

  /** @throws ConfigurationError with `add_adapter`, which Hugging Face's heads do not take either */
  constructor(config: Wav2Vec2Config) {
    super(config);
    if (config.addAdapter) {
      throw new ConfigurationError(
        "add_adapter must be false for a classification head, but is true. Leave it out.",
      );
    }
    const states = config.numHiddenLayers + 1;
    this.layerWeights = config.useWeightedLayerSum
      ? nn.parameter(nn.init.full([states], 1 / states))
      : undefined;
  }

  /** The names of the labels, by id. */
  get labels(): readonly string[] {
    return this.config.id2label;
  }

  /** Parameters that no output depends on: a pre-norm encoder's last norm is behind what layers put out. */
  unusedParameters(): Tensor[] {
    const { encoder, config } = this.wav2vec2;
    return this.layerWeights && config.doStableLayerNorm ? encoder.layerNorm.parameters() : [];
  }

  /** @throws UserError as `Wav2Vec2Model.forward` */
  protected hiddenOf(input: ModelInput | FeatureInput): Hidden {
    const { layerWeights } = this;
    if (!layerWeights) {
      const { lastHiddenState, ...output } = this.wav2vec2.forward(input);
      return { ...output, hidden: lastHiddenState };
    }
    const output = this.wav2vec2.forward({ ...input, outputHiddenStates: "every layer" });
    const states = output.hiddenStates!;
    const shares = layerWeights.softmax(0); // [layers + 1]
    const weighted = states.map((state, layer) => state.mul(shares.select(0, layer)));
    const hidden = weighted.reduce((sum, state) => sum.add(state)); // [batch, frames, width]
    const { frames, attentions } = output;
    return { hidden, frames, attentions, hiddenStates: input.outputHiddenStates ? states : undefined };
  }

  /**
   * Ids that are labels of this head.
   *
   * @throws UserError for one that is not
   */
  protected requireIds(ids: ArrayLike<number>): void {
    const { length } = this.labels;
    const wrong = Array.from(ids).find((id) => !Number.isInteger(id) || id < 0 || id >= length);
    if (wrong === undefined) return;
    throw new UserError(
      `Labels must be ids from 0 to ${length - 1}, as the head has ${length} labels, but one is ${wrong}. Give ` +
        "id2label to the configuration that the model is made with.",
    );
  }
}
