import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";

/** From the feature encoder's width to the transformer's. Hugging Face: `Wav2Vec2FeatureProjection`. */
export class FeatureProjection extends nn.Module {
  /** Undefined where `feat_proj_layer_norm` is false. */
  layerNorm: nn.LayerNorm | undefined;
  projection: nn.Linear;
  dropout: nn.Dropout;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new FeatureProjection", { config: [config, CONFIG] });
    const channels = config.convDim.at(-1)!;
    this.layerNorm = config.featProjLayerNorm ? new nn.LayerNorm(channels, config.layerNormEps) : undefined;
    this.projection = new nn.Linear(channels, config.hiddenSize);
    this.dropout = new nn.Dropout(config.featProjDropout);
  }

  /** [batch, time, channels] to hidden [batch, time, width] and the normalised features the quantizer reads */
  forward(features: Tensor): { hidden: Tensor; normalized: Tensor } {
    const normalized = this.normalize(features); // [batch, time, channels]
    const hidden = this.dropout.forward(this.projection.forward(normalized)); // [batch, time, width]
    return { hidden, normalized };
  }

  /** [batch, time, channels] to [batch, time, channels] */
  normalize(features: Tensor): Tensor {
    return this.layerNorm?.forward(features) ?? features;
  }
}
