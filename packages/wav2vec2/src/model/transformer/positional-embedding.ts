import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { BatchNorm } from "./batch-norm.js";

/** First weights N(0, 4 / (kernel width)), as fairseq has them. */
function firstWeights(width: number, kernel: number, groups: number): Tensor {
  return nn.init.normal([width, width / groups, kernel], 2 * Math.sqrt(1 / (kernel * width)));
}

/** As many frames as there are, and one more for an even kernel. */
export function positionalConvolution(width: number, kernel: number, groups: number): nn.Conv1d {
  const conv = new nn.Conv1d(width, width, kernel, { padding: Math.floor(kernel / 2), groups });
  conv.weight = nn.parameter(firstWeights(width, kernel, groups));
  conv.bias = nn.parameter(nn.init.full([width], 0));
  return conv;
}

/** Under PyTorch's name for a re-parametrized weight: `parametrizations.weight.original0`. */
class Parametrizations extends nn.Module {
  weight: nn.WeightNorm;

  constructor(weight: Tensor) {
    super();
    this.weight = new nn.WeightNorm(weight, 2);
  }
}

class WeightNormConv1d extends nn.Module {
  bias: Tensor;
  parametrizations: Parametrizations;
  readonly #groups: number;
  readonly #kernel: number;
  readonly #convolution = new nn.LongConvolution();

  constructor(width: number, kernel: number, groups: number) {
    super();
    this.#groups = groups;
    this.#kernel = kernel;
    this.bias = nn.parameter(nn.init.full([width], 0));
    this.parametrizations = new Parametrizations(firstWeights(width, kernel, groups));
  }

  forward(x: Tensor): Tensor {
    const weight = this.parametrizations.weight.forward();
    return this.#convolution.forward(x, weight, this.bias, Math.floor(this.#kernel / 2), this.#groups);
  }
}

/** Padded frames, and what stands behind the last one, as 0. */
export function zeroPadding(hidden: Tensor, mask: Tensor | undefined): Tensor {
  return mask ? hidden.mul(mask) : hidden;
}

/**
 * Relative positions by a grouped convolution over time instead of fixed embeddings (paper, section 2; Mohamed
 * et al. 2019). Hugging Face: `Wav2Vec2PositionalConvEmbedding`, and `HubertPositionalConvEmbedding` for
 * `conv_pos_batch_norm`.
 */
export class PositionalConvEmbedding extends nn.Module {
  batchNorm: BatchNorm | undefined;
  conv: WeightNormConv1d | nn.Conv1d;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new PositionalConvEmbedding", { config: [config, CONFIG] });
    const { hiddenSize: width, numConvPosEmbeddings: kernel, numConvPosEmbeddingGroups: groups } = config;
    this.#activation = nn.activation(config.featExtractActivation);
    this.batchNorm = config.convPosBatchNorm ? new BatchNorm(width) : undefined;
    this.conv = config.convPosBatchNorm
      ? positionalConvolution(width, kernel, groups)
      : new WeightNormConv1d(width, kernel, groups);
  }

  /**
   * [batch, time, width] to [batch, time, width]
   *
   * @param hidden 0 in padded frames
   * @param mask bool [batch, time, 1], false on padding; undefined where there is none
   */
  forward(hidden: Tensor, mask: Tensor | undefined): Tensor {
    const time = hidden.shape[1]!;
    const input = this.batchNorm
      ? zeroPadding(this.batchNorm.forward(hidden.transpose(1, 2)).transpose(1, 2), mask)
      : hidden;
    const positions = this.conv.forward(input.transpose(1, 2)); // [batch, width, time or time + 1]
    // An even kernel makes one frame too many.
    return this.#activation(positions.narrow(2, 0, time)).transpose(1, 2); // [batch, time, width]
  }
}
