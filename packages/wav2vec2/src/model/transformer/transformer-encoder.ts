import { checkpoint, nn, scope, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { frameMask } from "../masking.js";
import type { Trace } from "../trace.js";
import { EncoderLayer } from "./encoder-layer.js";
import { skipsLayer } from "./layer-drop.js";
import { PositionalConvEmbedding, zeroPadding } from "./positional-embedding.js";
import { StackedPositionalEmbedding } from "./stacked-positional-embedding.js";

/**
 * g: Z to C in the paper (section 2): positions, then transformer layers over the whole clip. Hugging Face:
 * `Wav2Vec2Encoder`, and `Wav2Vec2EncoderStableLayerNorm` for `do_stable_layer_norm`.
 */
export class TransformerEncoder extends nn.Module {
  posConvEmbed: PositionalConvEmbedding | StackedPositionalEmbedding;
  layerNorm: nn.LayerNorm;
  dropout: nn.Dropout;
  layers: EncoderLayer[];
  /** Whether training keeps each layer's input alone and computes the layer again in the backward pass. */
  gradientCheckpointing = false;
  /** Layers, counted from 0, that training leaves out; drawn by `layerdrop` for each forward pass where undefined. */
  skippedLayers: ReadonlySet<number> | undefined;

  /** Those of the layers that {@link skippedLayers} leaves out. */
  skippedParameters(): Tensor[] {
    return this.layers.flatMap((layer, number) =>
      this.skippedLayers?.has(number) ? layer.parameters() : [],
    );
  }
  readonly #config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new TransformerEncoder", { config: [config, CONFIG] });
    this.#config = config;
    this.posConvEmbed =
      config.modelType === "data2vec-audio"
        ? new StackedPositionalEmbedding(config)
        : new PositionalConvEmbedding(config);
    this.layerNorm = new nn.LayerNorm(config.hiddenSize, config.layerNormEps);
    this.dropout = new nn.Dropout(config.hiddenDropout);
    this.layers = Array.from({ length: config.numHiddenLayers }, () => new EncoderLayer(config));
  }

  /**
   * [batch, time, width] to [batch, time, width]
   *
   * @param frames each clip's own frames; padding is not attended to
   * @param trace receives what each layer reads, writes and attends to, where it asks for it
   */
  forward(hidden: Tensor, frames: readonly number[], trace?: Trace): Tensor {
    const time = hidden.shape[1]!;
    const padded = frames.some((count) => count < time);
    const mask = padded ? frameMask(frames, time, hidden.device) : undefined; // [batch, time]
    const frameWise = mask?.unsqueeze(2); // [batch, time, 1]
    const own = zeroPadding(hidden, frameWise);
    const attentionMask = mask?.view([frames.length, 1, 1, time]);

    const { doStableLayerNorm, referencePadding } = this.#config;
    const positioned = own.add(this.posConvEmbed.forward(own, referencePadding ? undefined : frameWise));
    let state = this.dropout.forward(doStableLayerNorm ? positioned : this.layerNorm.forward(positioned));
    trace?.hiddenStates?.push(state);
    for (const [index, layer] of this.layers.entries()) {
      const skipped = this.#skips(index);
      if (skipped && !trace?.everyLayer) continue;
      if (!skipped) state = this.#run(layer, state, attentionMask, trace);
      trace?.hiddenStates?.push(state);
    }
    return doStableLayerNorm ? this.layerNorm.forward(state) : state;
  }

  #skips(layer: number): boolean {
    if (this.skippedLayers) return this.training && this.skippedLayers.has(layer);
    return skipsLayer(this.training, this.#config);
  }

  /**
   * In a scope of its own: what a layer computes on its way, and no gradient needs, is freed behind it. Attention weights
   * that are asked for outlive it, and are those of the one pass that there is then.
   */
  #run(layer: EncoderLayer, hidden: Tensor, mask: Tensor | undefined, trace: Trace | undefined): Tensor {
    const recompute = this.gradientCheckpointing && this.training && !trace?.attentions;
    if (trace?.attentions) return layer.forward(hidden, mask, trace);
    if (!recompute) return scope(() => layer.forward(hidden, mask, trace));
    return checkpoint(
      (input, inputMask) => layer.forward(input!, inputMask),
      hidden,
      ...(mask ? [mask] : []),
    );
  }
}
