import { crossEntropyLoss, nn, type Tensor, tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";
import { initializeWeights } from "../initialization.js";
import type { FeatureInput, InnerStates, ModelInput } from "../wav2vec2-model.js";
import { ModelWithLayerSum } from "./layer-sum.js";
import { meanOverFrames } from "./pooling.js";

export interface SequenceClassifierOutput extends InnerStates {
  /** A score for each label before any softmax, [batch, labels] */
  logits: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/**
 * One label for a clip, such as a keyword, a language or an emotion: a linear layer, the mean over the clip's own frames,
 * a linear layer. Hugging Face: `Wav2Vec2ForSequenceClassification`.
 */
export class Wav2Vec2ForSequenceClassification extends ModelWithLayerSum {
  projector: nn.Linear;
  classifier: nn.Linear;

  /** @throws ConfigurationError with `add_adapter` */
  constructor(config: Wav2Vec2Config) {
    super(config);
    this.projector = new nn.Linear(config.hiddenSize, config.classifierProjSize);
    this.classifier = new nn.Linear(config.classifierProjSize, config.id2label.length);
    initializeWeights(this.projector, config);
    initializeWeights(this.classifier, config);
  }

  /** @throws UserError as `Wav2Vec2Model.forward` */
  forward(input: ModelInput | FeatureInput): SequenceClassifierOutput {
    const { hidden, ...output } = this.hiddenOf(input); // [batch, frames, width]
    const pooled = meanOverFrames(this.projector.forward(hidden), output.frames); // [batch, projection]
    return { logits: this.classifier.forward(pooled), ...output }; // [batch, labels]
  }

  /**
   * Cross entropy, the mean over clips.
   *
   * @param ids the label of each clip, [batch]
   * @throws UserError for an id that is no label
   */
  loss(logits: Tensor, ids: ArrayLike<number>): Tensor {
    this.requireIds(ids);
    const target = tensor(Array.from(ids), [ids.length], { dtype: "int64", device: logits.device });
    return crossEntropyLoss(logits, target);
  }
}
