import { layerNorm, nn, type Tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";
import { positionalConvolution, zeroPadding } from "./positional-embedding.js";

/** Convolution over time, LayerNorm without weights, activation. Hugging Face: `Data2VecAudioPositionalConvLayer`. */
class PositionalConvLayer extends nn.Module {
  conv: nn.Conv1d;
  readonly #width: number;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(config: Wav2Vec2Config) {
    super();
    this.#width = config.hiddenSize;
    this.#activation = nn.activation(config.featExtractActivation);
    this.conv = positionalConvolution(
      config.hiddenSize,
      config.convPosKernelSize,
      config.numConvPosEmbeddingGroups,
    );
  }

  /** [batch, time, width] to [batch, time, width] */
  forward(hidden: Tensor): Tensor {
    const convolved = this.conv.forward(hidden.transpose(1, 2)); // [batch, width, time or time + 1]
    const positions = convolved.narrow(2, 0, hidden.shape[1]!).transpose(1, 2); // [batch, time, width]
    return this.#activation(layerNorm(positions, [this.#width]));
  }
}

/**
 * Relative positions by several small convolutions in a row, as data2vec has them (Baevski et al. 2022, arXiv 2202.03555).
 * Padding is 0 before each, so that a clip's positions do not depend on the batch it is in; Hugging Face zeroes it before
 * the first alone, as `referencePadding` does. Hugging Face: `Data2VecAudioPositionalConvEmbedding`.
 */
export class StackedPositionalEmbedding extends nn.Module {
  layers: PositionalConvLayer[];

  constructor(config: Wav2Vec2Config) {
    super();
    this.layers = Array.from({ length: config.numConvPosEmbeddings }, () => new PositionalConvLayer(config));
  }

  /** As {@link PositionalConvEmbedding.forward}. */
  forward(hidden: Tensor, mask: Tensor | undefined): Tensor {
    return this.layers.reduce((x, layer) => zeroPadding(layer.forward(x), mask), hidden);
  }
}
