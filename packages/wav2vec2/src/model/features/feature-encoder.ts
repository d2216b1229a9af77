import { cat, nn, scope, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { validFrames } from "../lengths.js";
import { stridedConvolution } from "./strided-convolution.js";

type Activation = (x: Tensor) => Tensor;

/** One convolution on the waveform without a norm: all but the first of a group-norm encoder. */
class NoLayerNormConvLayer extends nn.Module {
  conv: nn.Conv1d;
  readonly #activation: Activation;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.conv = convolution(config, layer);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /** [batch, channels in, time] to [batch, channels out, shorter time] */
  forward(x: Tensor): Tensor {
    return this.#activation(this.conv.forward(x));
  }
}

/**
 * Convolution, LayerNorm over channels, activation: each layer of `feat_extract_norm: layer`. Channels come last all
 * the way: between transposes, norms and activations take several times longer on CPU.
 */
class LayerNormConvLayer extends nn.Module {
  conv: nn.Conv1d;
  layerNorm: nn.LayerNorm;
  readonly #stride: number;
  readonly #activation: Activation;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.#stride = config.convStride[layer]!;
    this.conv = convolution(config, layer);
    this.layerNorm = new nn.LayerNorm(config.convDim[layer]!);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /** [batch, time, channels in] to [batch, shorter time, channels out] */
  forward(x: Tensor): Tensor {
    return this.#activation(this.layerNorm.forward(stridedConvolution(x, this.conv, this.#stride)));
  }
}

/**
 * Convolution, GroupNorm of every channel over time, activation: the first layer of `feat_extract_norm: group`.
 * Statistics are taken over each clip's own frames, so a clip's output does not depend on the batch it is in;
 * Hugging Face and fairseq take them over the padding too (fairseq#3227), as `referencePadding` does.
 */
class GroupNormConvLayer extends nn.Module {
  conv: nn.Conv1d;
  layerNorm: nn.GroupNorm;
  readonly #activation: Activation;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.conv = convolution(config, layer);
    this.layerNorm = new nn.GroupNorm(config.convDim[layer]!, config.convDim[layer]!);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /** @param frames each clip's frames behind this convolution over which to normalise; 0 behind them */
  forward(x: Tensor, frames: readonly number[]): Tensor {
    const features = this.conv.forward(x); // [batch, channels, time]
    const time = features.shape[2]!;
    if (frames.every((count) => count === time)) return this.#activation(this.layerNorm.forward(features));
    const rows = frames.map((count, row) => {
      const clip = features.narrow(0, row, 1).narrow(2, 0, count); // [1, channels, own time]
      return this.layerNorm.forward(clip).pad([0, time - count]);
    });
    return this.#activation(cat(rows)); // [batch, channels, time]
  }
}

function convolution(config: Wav2Vec2Config, layer: number): nn.Conv1d {
  const channels = layer === 0 ? 1 : config.convDim[layer - 1]!;
  const [features, kernel] = [config.convDim[layer]!, config.convKernel[layer]!];
  const conv = new nn.Conv1d(channels, features, kernel, {
    stride: config.convStride[layer]!,
    bias: config.convBias,
  });
  conv.weight = nn.parameter(nn.init.kaimingNormal([features, channels, kernel], channels * kernel));
  return conv;
}

/**
 * f: X to Z in the paper (section 2): strided convolutions that turn the waveform into one vector every 20 ms,
 * each seeing 25 ms. Hugging Face: `Wav2Vec2FeatureEncoder`.
 */
export class FeatureEncoder extends nn.Module {
  convLayers: (NoLayerNormConvLayer | LayerNormConvLayer | GroupNormConvLayer)[];
  readonly #config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new FeatureEncoder", { config: [config, CONFIG] });
    this.#config = config;
    this.convLayers = config.convDim.map((_, layer) => {
      if (config.featExtractNorm === "layer") return new LayerNormConvLayer(config, layer);
      return layer === 0 ? new GroupNormConvLayer(config, layer) : new NoLayerNormConvLayer(config, layer);
    });
  }

  /**
   * [batch, samples] to [batch, frames, channels]
   *
   * @param lengths each clip's own samples; the rest is padding
   */
  forward(input: Tensor, lengths: readonly number[]): Tensor {
    const { referencePadding } = this.#config;
    // A scope a layer: what it computes on its way is as large as its output, and freed behind it.
    if (this.#config.featExtractNorm === "layer") {
      const layers = this.convLayers as LayerNormConvLayer[];
      return layers.reduce((x, layer) => scope(() => layer.forward(x)), input.unsqueeze(2)); // [batch, frames, channels]
    }
    const normalized = referencePadding ? lengths.map(() => input.shape[1]!) : lengths;
    const forward = (convLayer: this["convLayers"][number], x: Tensor, layer: number) =>
      convLayer instanceof GroupNormConvLayer
        ? convLayer.forward(x, validFrames(this.#config, normalized, layer + 1))
        : convLayer.forward(x);
    const features = this.convLayers.reduce(
      (x, convLayer, layer) => scope(() => forward(convLayer, x, layer)),
      input.unsqueeze(1),
    ); // [batch, channels, frames]
    return features.transpose(1, 2); // [batch, frames, channels]
  }
}
