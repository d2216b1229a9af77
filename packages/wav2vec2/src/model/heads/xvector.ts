import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { initializeWeights } from "../initialization.js";
import { receptiveField } from "../lengths.js";
import type { FeatureInput, InnerStates, ModelInput } from "../wav2vec2-model.js";
import { AmSoftmaxLoss } from "./am-softmax.js";
import { ModelWithLayerSum } from "./layer-sum.js";
import { statisticsOverFrames } from "./pooling.js";
import { TdnnLayer, tdnnFrames } from "./tdnn-layer.js";

export interface XVectorOutput extends InnerStates {
  /** What tells speakers apart, by the cosine between two clips': [batch, xvectorOutputDim] */
  embeddings: Tensor;
  /** What the loss compares with a vector of each speaker, [batch, xvectorOutputDim]; no scores of labels, see `scores` */
  logits: Tensor;
  /** Each clip's own frames behind the network. */
  frames: number[];
}

/**
 * A vector of a clip that tells its speaker (Snyder et al. 2018, "X-Vectors"): time-delay layers, mean and deviation over
 * the clip's own frames, two linear layers. Hugging Face: `Wav2Vec2ForXVector`, which in a padded batch lets the frames
 * behind a clip's end into its statistics, as it does not count with the layers' dilation; here only with
 * `referencePadding`.
 */
export class Wav2Vec2ForXVector extends ModelWithLayerSum {
  projector: nn.Linear;
  tdnn: TdnnLayer[];
  featureExtractor: nn.Linear;
  classifier: nn.Linear;
  objective: AmSoftmaxLoss;

  /** @throws ConfigurationError with `add_adapter` */
  constructor(config: Wav2Vec2Config) {
    super(config);
    const { tdnnDim, xvectorOutputDim: width } = config;
    this.projector = new nn.Linear(config.hiddenSize, tdnnDim[0]!);
    this.tdnn = tdnnDim.map((_, layer) => new TdnnLayer(config, layer));
    this.featureExtractor = new nn.Linear(2 * tdnnDim.at(-1)!, width);
    this.classifier = new nn.Linear(width, width);
    this.objective = new AmSoftmaxLoss(width, config.id2label.length);
    for (const layer of [this.projector, this.featureExtractor, this.classifier])
      initializeWeights(layer, config);
  }

  /** @throws UserError as `Wav2Vec2Model.forward`, and for clips too short for two frames behind the time-delay layers */
  forward(input: ModelInput | FeatureInput): XVectorOutput {
    const { hidden, ...output } = this.hiddenOf(input); // [batch, frames, width]
    const counts = this.#ownFrames(output.frames, hidden.shape[1]!);
    const delayed = this.tdnn.reduce((x, layer) => layer.forward(x), this.projector.forward(hidden)); // [batch, fewer frames, tdnn width]
    const embeddings = this.featureExtractor.forward(statisticsOverFrames(delayed, counts)); // [batch, xvector width]
    return { embeddings, logits: this.classifier.forward(embeddings), ...output };
  }

  /** The cosine of `logits` with each label's vector, from -1 to 1, [batch, labels] */
  scores(logits: Tensor): Tensor {
    return this.objective.cosines(logits);
  }

  /**
   * Additive margin softmax, the mean over clips.
   *
   * @param ids the label of each clip, [batch]
   * @throws UserError for an id that is no label
   */
  loss(logits: Tensor, ids: ArrayLike<number>): Tensor {
    this.requireIds(ids);
    return this.objective.forward(logits, ids);
  }

  /** Each clip's frames behind the time-delay layers. */
  #ownFrames(frames: readonly number[], time: number): number[] {
    const { config } = this;
    const short = frames.findIndex((count) => tdnnFrames(config, count) < 2);
    if (short >= 0) {
      throw new UserError(
        `Clips must have at least ${xvectorSamples(config)} samples, which make two frames behind the time-delay ` +
          `layers, but clip ${short} has ${frames[short]} frames before them. Pad it with zeros.`,
      );
    }
    if (!config.referencePadding) return frames.map((count) => tdnnFrames(config, count));
    const lost = config.tdnnKernel.reduce((sum, kernel) => sum + kernel - 1, 0); // as if nothing were dilated
    return frames.map((count) => Math.min(count - lost, tdnnFrames(config, time)));
  }
}

/** The fewest samples of a clip for {@link Wav2Vec2ForXVector}; 5,200 for the published models' layers. */
export function xvectorSamples(config: Wav2Vec2Config): number {
  requireArguments("xvectorSamples", { config: [config, CONFIG] });
  const lost = config.tdnnKernel.reduce(
    (sum, kernel, layer) => sum + config.tdnnDilation[layer]! * (kernel - 1),
    0,
  );
  return receptiveField(config, lost + 2);
}
