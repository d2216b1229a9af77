import { ctcLoss, isTensor, nn, type Tensor, tensor } from "@wav2vec2/libtorch";
import { isObject, type Kind, requireArguments } from "../../argument-kinds.js";
import { ConfigurationError } from "../../errors.js";
import { TENSOR } from "../../module-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { initializeWeights } from "../initialization.js";
import type {
  AsksAttentions,
  AsksHiddenStates,
  FeatureInput,
  InnerStates,
  ModelInput,
  WithAttentions,
  WithHiddenStates,
} from "../wav2vec2-model.js";
import { ModelWithHead } from "./model-with-head.js";

/** A batch's labels one after another, and how many each clip has. */
export interface CtcTargets {
  labels: Int32Array | readonly number[];
  labelLengths: Int32Array | readonly number[];
}

/** Bigints, as int64 tensors give them, are none that libtorch's loss takes. */
const isNumbers = (value: unknown) =>
  Array.isArray(value)
    ? value.every(Number.isInteger)
    : ArrayBuffer.isView(value) && !(value instanceof BigInt64Array || value instanceof BigUint64Array);

const FRAMES: Kind = {
  must: "a list of each clip's own frames",
  holds: isNumbers,
  advice: () => "Give those of forward: loss(logits, frames, targets).",
};

const TARGETS: Kind = {
  must: "{ labels, labelLengths }",
  holds: (value) => isObject(value) && isNumbers(value.labels) && isNumbers(value.labelLengths),
  advice(value) {
    const labels = isObject(value) && !Array.isArray(value) ? value.labels : value;
    if (Array.isArray(labels) && labels.every(isNumbers))
      return "Give { labels: clips.flat(), labelLengths: clips.map(({ length }) => length) }, without padding.";
    if (isTensor(labels) || labels instanceof BigInt64Array)
      return `Give numbers: ${isTensor(labels) ? "labels.toArray()" : "Array.from(labels, Number)"}.`;
    return "Give a batch of collateCtc, or all clips' labels one after another and how many each has.";
  },
};

/** A configuration with what a CTC head needs. */
export type CtcConfig = Wav2Vec2Config & { readonly vocabSize: number; readonly padTokenId: number };

function ctcConfig(config: Wav2Vec2Config): CtcConfig {
  requireArguments("new Wav2Vec2ForCTC", { config: [config, CONFIG] });
  const missing = (["vocabSize", "padTokenId"] as const).filter((field) => config[field] === null);
  if (missing.length === 0) return config as CtcConfig;
  throw new ConfigurationError(
    `${missing.map(nn.stateName).join(" and ")} of the model configuration must be set for a CTC head, but ` +
      `${missing.length > 1 ? "are" : "is"} null. vocab_size counts its outputs, pad_token_id is the blank.`,
  );
}

/**
 * First bias of a head: the blank stands above what the random weights give the other tokens (4 standard deviations;
 * Hugging Face begins with 0). A path's probability multiplies over its frames, so where the weights happen to put the
 * blank a little below the rest, all likely paths avoid it, and training settles on a network that hardly ever says
 * blank and spells nothing.
 */
function blankBias({ vocabSize, padTokenId, initializerRange }: CtcConfig, width: number): Tensor {
  const bias = new Float32Array(vocabSize);
  bias[padTokenId] = 4 * initializerRange * Math.sqrt(width);
  return tensor(bias);
}

// libtorch's at::Reduction
const REDUCTIONS = { none: 0, mean: 1, sum: 2 } as const;

export interface CtcOutput extends InnerStates {
  /** [batch, frames, vocabulary] */
  logits: Tensor;
  /** What the head read, before its dropout, [batch, frames, width]: for heads of one's own */
  lastHiddenState: Tensor;
  /** Each clip's own frames. */
  frames: number[];
}

/** Speech recognition: the network and one linear layer over characters. Hugging Face: `Wav2Vec2ForCTC`. */
export class Wav2Vec2ForCTC extends ModelWithHead {
  dropout: nn.Dropout;
  lmHead: nn.Linear;
  declare readonly config: CtcConfig;

  /** @throws ConfigurationError without `vocab_size` and `pad_token_id`, the blank */
  constructor(config: Wav2Vec2Config) {
    super(ctcConfig(config));
    this.dropout = new nn.Dropout(config.finalDropout);
    const width = config.addAdapter ? config.outputHiddenSize : config.hiddenSize;
    this.lmHead = new nn.Linear(width, this.config.vocabSize);
    initializeWeights(this.lmHead, config);
    this.lmHead.bias = nn.parameter(blankBias(this.config, width));
  }

  /**
   * Leaves all as it is but the attention adapters, their norms and the head: what a language of a multilingual model
   * has of its own (Pratap et al. 2023, arXiv 2305.13516). Hugging Face: `freeze_base_model` and `_get_adapters`.
   *
   * @throws ConfigurationError where the network has no such adapters
   */
  trainAdaptersOnly(): void {
    if (this.config.adapterAttnDim === null || !this.config.doStableLayerNorm) {
      throw new ConfigurationError(
        "adapter_attn_dim and do_stable_layer_norm must be set for adapters to be trained, but adapter_attn_dim is " +
          `${this.config.adapterAttnDim} and do_stable_layer_norm ${this.config.doStableLayerNorm}. Give ` +
          "model.adapter_attn_dim, such as 16, and a model with LARGE's layer norms.",
      );
    }
    for (const parameter of this.backboneParameters()) parameter.requiresGrad = false;
  }

  /** @throws UserError as {@link Wav2Vec2Model.forward} */
  forward(
    input: (ModelInput | FeatureInput) & AsksHiddenStates & AsksAttentions,
  ): CtcOutput & WithHiddenStates & WithAttentions;
  forward(input: (ModelInput | FeatureInput) & AsksHiddenStates): CtcOutput & WithHiddenStates;
  forward(input: (ModelInput | FeatureInput) & AsksAttentions): CtcOutput & WithAttentions;
  forward(input: ModelInput | FeatureInput): CtcOutput;
  forward(input: ModelInput | FeatureInput): CtcOutput {
    const { lastHiddenState, frames, hiddenStates, attentions } = this.wav2vec2.forward(input);
    const logits = this.lmHead.forward(this.dropout.forward(lastHiddenState)); // [batch, frames, vocabulary]
    return { logits, lastHiddenState, frames, hiddenStates, attentions };
  }

  /**
   * Connectionist temporal classification (Graves et al. 2006), reduced as `ctc_loss_reduction` says: "mean" divides
   * each clip's loss by its labels and averages over clips, "sum" adds all up. Computed in float64: the gradient is the
   * exponential of a difference of log-probabilities that grow with the frames, and float32, which Hugging Face takes,
   * leaves it 5 digits behind a second and 3 behind 30.
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
    targets: CtcTargets,
    reduction: number,
    zeroInfinity: boolean,
  ): Tensor {
    requireArguments("loss", {
      logits: [logits, TENSOR],
      frames: [frames, FRAMES],
      targets: [targets, TARGETS],
    });
    const { labels, labelLengths } = targets;
    const loss = ctcLoss(
      logits.logSoftmax(-1, "float64").transpose(0, 1), // [frames, batch, vocabulary]
      // As int64 on the logits' device: for int32, cuDNN's kernel would be chosen, which is wrong for confident models
      // (https://github.com/pytorch/pytorch/issues/21680).
      tensor(Int32Array.from(labels), [labels.length], { dtype: "int64", device: logits.device }),
      frames,
      Array.from(labelLengths),
      this.config.padTokenId,
      reduction,
      zeroInfinity,
    );
    return loss.to({ dtype: "float32" });
  }
}
