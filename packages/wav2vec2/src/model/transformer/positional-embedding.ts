import { conv1d, nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";

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

  constructor(width: number, kernel: number, groups: number) {
    super();
    this.#groups = groups;
    this.#kernel = kernel;
    const std = 2 * Math.sqrt(1 / (kernel * width));
    this.bias = nn.parameter(nn.init.full([width], 0));
    this.parametrizations = new Parametrizations(nn.init.normal([width, width / groups, kernel], std));
  }

  forward(x: Tensor): Tensor {
    const weight = this.parametrizations.weight.forward();
    return conv1d(x, weight, this.bias, 1, Math.floor(this.#kernel / 2), 1, this.#groups);
  }
}

/**
 * Relative positions by a grouped convolution over time instead of fixed embeddings (paper, section 2; Mohamed
 * et al. 2019). Hugging Face: `Wav2Vec2PositionalConvEmbedding`.
 */
export class PositionalConvEmbedding extends nn.Module {
  conv: WeightNormConv1d;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new PositionalConvEmbedding", { config: [config, CONFIG] });
    this.#activation = nn.activation(config.featExtractActivation);
    this.conv = new WeightNormConv1d(
      config.hiddenSize,
      config.numConvPosEmbeddings,
      config.numConvPosEmbeddingGroups,
    );
  }

  /** [batch, time, width] to [batch, time, width]; padded frames of `hidden` must be 0 */
  forward(hidden: Tensor): Tensor {
    const time = hidden.shape[1]!;
    const positions = this.conv.forward(hidden.transpose(1, 2)); // [batch, width, time or time + 1]
    // An even kernel makes one frame too many.
    return this.#activation(positions.narrow(2, 0, time)).transpose(1, 2); // [batch, time, width]
  }
}
