import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";

/** From the feature encoder's width to the transformer's. Hugging Face: `Wav2Vec2FeatureProjection`. */
export class FeatureProjection extends nn.Module {
  layerNorm: nn.LayerNorm;
  projection: nn.Linear;
  dropout: nn.Dropout;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new FeatureProjection", { config: [config, CONFIG] });
    const channels = config.convDim.at(-1)!;
    this.layerNorm = new nn.LayerNorm(channels, config.layerNormEps);
    this.projection = new nn.Linear(channels, config.hiddenSize);
    this.dropout = new nn.Dropout(config.featProjDropout);
  }

  /** [batch, time, channels] to hidden [batch, time, width] and the normalised features the quantizer reads */
  forward(features: Tensor): { hidden: Tensor; normalized: Tensor } {
    const normalized = this.layerNorm.forward(features);
    const hidden = this.dropout.forward(this.projection.forward(normalized)); // [batch, time, width]
    return { hidden, normalized };
  }
}
