import { nn, type Tensor } from "@wav2vec2/libtorch";
import { Attention } from "./attention.js";
import type { Wav2Vec2Config } from "./configuration.js";
import { FeedForward } from "./feed-forward.js";

/** One transformer layer, LayerNorm behind each block (base) or before it (`do_stable_layer_norm`, large). */
export class EncoderLayer extends nn.Module {
  attention: Attention;
  dropout: nn.Dropout;
  layerNorm: nn.LayerNorm;
  feedForward: FeedForward;
  finalLayerNorm: nn.LayerNorm;
  readonly #stable: boolean;

  constructor(config: Wav2Vec2Config) {
    super();
    this.#stable = config.doStableLayerNorm;
    this.attention = new Attention(config);
    this.dropout = new nn.Dropout(config.hiddenDropout);
    this.layerNorm = new nn.LayerNorm(config.hiddenSize, config.layerNormEps);
    this.feedForward = new FeedForward(config);
    this.finalLayerNorm = new nn.LayerNorm(config.hiddenSize, config.layerNormEps);
  }

  /** [batch, time, width] to [batch, time, width] */
  forward(hidden: Tensor, mask: Tensor | undefined): Tensor {
    return this.#stable ? this.#preNorm(hidden, mask) : this.#postNorm(hidden, mask);
  }

  #preNorm(hidden: Tensor, mask: Tensor | undefined): Tensor {
    const attended = this.attention.forward(this.layerNorm.forward(hidden), mask);
    const residual = hidden.add(this.dropout.forward(attended));
    return residual.add(this.feedForward.forward(this.finalLayerNorm.forward(residual)));
  }

  #postNorm(hidden: Tensor, mask: Tensor | undefined): Tensor {
    const attended = this.attention.forward(hidden, mask);
    const normalized = this.layerNorm.forward(hidden.add(this.dropout.forward(attended)));
    return this.finalLayerNorm.forward(normalized.add(this.feedForward.forward(normalized)));
  }
}
