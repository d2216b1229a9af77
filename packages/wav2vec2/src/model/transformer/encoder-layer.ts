import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import type { Trace } from "../trace.js";
import { Attention } from "./attention.js";
import { AttentionAdapter } from "./attention-adapter.js";
import { FeedForward } from "./feed-forward.js";

/** One transformer layer, LayerNorm behind each block (base) or before it (`do_stable_layer_norm`, large). */
export class EncoderLayer extends nn.Module {
  attention: Attention;
  dropout: nn.Dropout;
  layerNorm: nn.LayerNorm;
  feedForward: FeedForward;
  finalLayerNorm: nn.LayerNorm;
  adapterLayer: AttentionAdapter | undefined;
  readonly #stable: boolean;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new EncoderLayer", { config: [config, CONFIG] });
    this.#stable = config.doStableLayerNorm;
    this.attention = new Attention(config);
    this.dropout = new nn.Dropout(config.hiddenDropout);
    this.layerNorm = new nn.LayerNorm(config.hiddenSize, config.layerNormEps);
    this.feedForward = new FeedForward(config);
    this.finalLayerNorm = new nn.LayerNorm(config.hiddenSize, config.layerNormEps);
    // As Hugging Face: post-LN layers have no place for it.
    const { adapterAttnDim, doStableLayerNorm } = config;
    this.adapterLayer =
      doStableLayerNorm && adapterAttnDim !== null ? new AttentionAdapter(config, adapterAttnDim) : undefined;
  }

  /** [batch, time, width] to [batch, time, width] */
  forward(hidden: Tensor, mask: Tensor | undefined, trace?: Trace): Tensor {
    return this.#stable ? this.#preNorm(hidden, mask, trace) : this.#postNorm(hidden, mask, trace);
  }

  #preNorm(hidden: Tensor, mask: Tensor | undefined, trace: Trace | undefined): Tensor {
    const attended = this.attention.forward(this.layerNorm.forward(hidden), mask, trace);
    const residual = hidden.add(this.dropout.forward(attended));
    const output = residual.add(this.feedForward.forward(this.finalLayerNorm.forward(residual)));
    return this.adapterLayer ? output.add(this.adapterLayer.forward(output)) : output;
  }

  #postNorm(hidden: Tensor, mask: Tensor | undefined, trace: Trace | undefined): Tensor {
    const attended = this.attention.forward(hidden, mask, trace);
    const normalized = this.layerNorm.forward(hidden.add(this.dropout.forward(attended)));
    return this.finalLayerNorm.forward(normalized.add(this.feedForward.forward(normalized)));
  }
}
