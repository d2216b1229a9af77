import { ctcLoss, nn, type Tensor, tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "./configuration.js";
import { initializeWeights } from "./initialization.js";
import { type ModelInput, Wav2Vec2Model } from "./wav2vec2-model.js";

/** A batch's labels one after another, and how many each clip has. */
export interface CtcTargets {
  labels: Int32Array;
  labelLengths: Int32Array;
}

// libtorch's at::Reduction
const REDUCTIONS = { none: 0, mean: 1, sum: 2 } as const;

/** Speech recognition: the network and one linear layer over characters. Hugging Face: `Wav2Vec2ForCTC`. */
export class Wav2Vec2ForCTC extends nn.Module {
  wav2vec2: Wav2Vec2Model;
  dropout: nn.Dropout;
  lmHead: nn.Linear;
  readonly config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    this.config = config;
    this.wav2vec2 = new Wav2Vec2Model(config);
    this.dropout = new nn.Dropout(config.finalDropout);
    this.lmHead = new nn.Linear(config.hiddenSize, config.vocabSize);
    initializeWeights(this.lmHead, config);
  }

  /** Keeps the convolutions as they are, as the paper does in fine-tuning (section 4.3). */
  freezeFeatureEncoder(): void {
    this.wav2vec2.featureExtractor.freeze();
  }

  /** Logits [batch, frames, vocabulary] and each clip's own frames. */
  forward(input: ModelInput): { logits: Tensor; frames: number[] } {
    const { lastHiddenState, frames } = this.wav2vec2.forward(input);
    return { logits: this.lmHead.forward(this.dropout.forward(lastHiddenState)), frames };
  }

  /**
   * Connectionist temporal classification (Graves et al. 2006), in float32, reduced as `ctc_loss_reduction` says:
   * "mean" divides each clip's loss by its labels and averages over clips, "sum" adds all up.
   */
  loss(logits: Tensor, frames: readonly number[], targets: CtcTargets): Tensor {
    const { ctcLossReduction, ctcZeroInfinity } = this.config;
    return this.#ctcLoss(logits, frames, targets, REDUCTIONS[ctcLossReduction], ctcZeroInfinity);
  }

  /** Each clip's own loss, [batch]; infinite where a clip has fewer frames than its labels need. */
  losses(logits: Tensor, frames: readonly number[], targets: CtcTargets): Tensor {
    return this.#ctcLoss(logits, frames, targets, REDUCTIONS.none, false);
  }

  #ctcLoss(
    logits: Tensor,
    frames: readonly number[],
    { labels, labelLengths }: CtcTargets,
    reduction: number,
    zeroInfinity: boolean,
  ): Tensor {
    return ctcLoss(
      logits.logSoftmax(-1, "float32").transpose(0, 1), // [frames, batch, vocabulary]
      tensor(labels, [labels.length], { dtype: "int64" }),
      tensor(frames, [frames.length], { dtype: "int64" }),
      tensor(labelLengths, [labelLengths.length], { dtype: "int64" }),
      this.config.padTokenId,
      reduction,
      zeroInfinity,
    );
  }
}
