import { nn, type Tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";

/**
 * A bottleneck behind a layer's feed-forward block: the few weights a language of a multilingual model has of its own
 * (Pratap et al. 2023, arXiv 2305.13516, section 4.2). Hugging Face: `Wav2Vec2AttnAdapterLayer`.
 */
export class AttentionAdapter extends nn.Module {
  norm: nn.LayerNorm;
  linear_1: nn.Linear;
  linear_2: nn.Linear;

  constructor(config: Wav2Vec2Config, bottleneck: number) {
    super();
    this.norm = new nn.LayerNorm(config.hiddenSize);
    this.linear_1 = new nn.Linear(config.hiddenSize, bottleneck);
    this.linear_2 = new nn.Linear(bottleneck, config.hiddenSize);
  }

  /** [batch, time, width] to what is added to it */
  forward(hidden: Tensor): Tensor {
    const inner = this.linear_1.forward(this.norm.forward(hidden)).relu(); // [batch, time, bottleneck]
    return this.linear_2.forward(inner); // [batch, time, width]
  }
}
