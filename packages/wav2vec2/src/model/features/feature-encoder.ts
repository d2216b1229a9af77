import { cat, conv1d, isGradEnabled, nn, scope, stack, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import { validFrames } from "../lengths.js";
import { inPieces } from "./in-pieces.js";

type Activation = (x: Tensor) => Tensor;

/** One convolution without a norm: all but the first of a group-norm encoder. Channels come last, as they do all the way. */
class NoLayerNormConvLayer extends nn.Module {
  conv: nn.Conv1d;
  readonly #activation: Activation;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.conv = convolution(config, layer);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /** [batch, time, channels in] to [batch, shorter time, channels out] */
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
  readonly #activation: Activation;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.conv = convolution(config, layer);
    this.layerNorm = new nn.LayerNorm(config.convDim[layer]!);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /** [batch, time, channels in] to [batch, shorter time, channels out] */
  forward(x: Tensor): Tensor {
    return this.#activation(this.layerNorm.forward(this.conv.forward(x)));
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
  readonly #stride: number;
  readonly #activation: Activation;
  readonly #isGelu: boolean;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    this.#stride = config.convStride[layer]!;
    this.#isGelu = config.featExtractActivation === "gelu";
    this.conv = convolution(config, layer);
    this.layerNorm = new nn.GroupNorm(config.convDim[layer]!, config.convDim[layer]!);
    this.#activation = nn.activation(config.featExtractActivation);
  }

  /**
   * [batch, samples, 1] to [batch, time, channels]
   *
   * @param frames each clip's frames behind this convolution over which to normalise; 0 behind them
   */
  forward(x: Tensor, frames: readonly number[]): Tensor {
    const features = this.conv.forward(x).transpose(1, 2); // [batch, channels, time]
    const time = features.shape[2]!;
    const whole = frames.every((count) => count === time);
    const normalized = whole ? this.layerNorm.forward(features) : this.#clipByClip(features, frames);
    return this.#activation(normalized).transpose(1, 2); // [batch, time, channels]
  }

  #clipByClip(features: Tensor, frames: readonly number[]): Tensor {
    const time = features.shape[2]!;
    const rows = frames.map((count, row) => {
      const clip = features.narrow(0, row, 1).narrow(2, 0, count); // [1, channels, own time]
      return this.layerNorm.forward(clip).pad([0, time - count]);
    });
    return cat(rows); // [batch, channels, time]
  }

  /**
   * {@link forward} of a waveform as one operator, which keeps nothing but its output for the backward pass and passes over
   * it once; undefined where there is none.
   */
  fused(x: Tensor, frames: readonly number[]): Tensor | undefined {
    if (!this.#isFused(x)) return undefined;
    const kernel = this.conv.weight.shape[2]!;
    const normalizing = frames.map((count, row) =>
      this.#normalizing(x.narrow(0, row, 1).narrow(1, 0, (count - 1) * this.#stride + kernel)),
    );
    const weights = stack(normalizing.map(([own]) => own)); // [batch, channels, kernel]
    const shifts = stack(normalizing.map(([, shift]) => shift)); // [batch, channels]
    return nn.geluConvolution(x.flatten(1), weights, shifts, frames, this.#stride); // [batch, time, channels]
  }

  #isFused(x: Tensor): boolean {
    return this.#isGelu && !this.conv.bias && nn.takesGeluConvolution(x, this.conv.weight);
  }

  /**
   * What {@link forward} makes of one clip, for pieces of it: the norm is a part of the convolution, with statistics of the
   * whole clip that need no pass over what the convolution makes. A channel's output is w . x + b over windows x, so its
   * mean is w . mean(x) + b and its variance w' cov(x) w.
   *
   * @param clip [1, samples, 1]
   */
  ofClip(clip: Tensor): (piece: Tensor) => Tensor {
    const [weight, bias] = scope(() => this.#normalizing(clip));
    const kernel = weight.shape[1]!;
    return (piece) => {
      if (!this.#isFused(piece))
        return this.#activation(
          conv1d(piece.transpose(1, 2), weight.unsqueeze(1), bias, this.#stride).transpose(1, 2),
        );
      const frames = Math.floor((piece.shape[1]! - kernel) / this.#stride) + 1;
      return nn.geluConvolution(
        piece.flatten(1),
        weight.unsqueeze(0),
        bias.unsqueeze(0),
        [frames],
        this.#stride,
      );
    }; // [1, time, channels]
  }

  /** Weight [channels, kernel] and bias [channels] of the convolution that normalises. */
  #normalizing(clip: Tensor): [weight: Tensor, bias: Tensor] {
    const { weight, shape, eps } = {
      weight: this.conv.weight,
      shape: this.conv.weight.shape,
      eps: this.layerNorm.eps,
    };
    const double = (x: Tensor) => x.to({ dtype: "float64" });
    const windows = double(clip.view([-1])).unfold(0, shape[2]!, this.#stride); // [time, kernel]
    const mean = windows.mean([0]); // [kernel]
    const centred = windows.sub(mean);
    const covariance = centred.transpose(0, 1).matmul(centred).div(windows.shape[0]!); // [kernel, kernel]
    const taps = double(weight).view([shape[0]!, shape[2]!]); // [channels, kernel]
    const variance = taps.matmul(covariance).mul(taps).sum([1]); // [channels]
    const scale = double(this.layerNorm.weight).div(variance.add(eps).sqrt()); // [channels]
    const shift = double(this.layerNorm.bias).sub(taps.matmul(mean).mul(scale)); // [channels]; the convolution's own bias cancels
    const like = { dtype: weight.dtype };
    return [taps.mul(scale.unsqueeze(1)).to(like), shift.to(like)];
  }
}

function convolution(config: Wav2Vec2Config, layer: number): nn.Conv1d {
  const channels = layer === 0 ? 1 : config.convDim[layer - 1]!;
  const [features, kernel] = [config.convDim[layer]!, config.convKernel[layer]!];
  const conv = new nn.Conv1d(channels, features, kernel, {
    stride: config.convStride[layer]!,
    bias: config.convBias,
    channelsLast: true,
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
    if (!this.#records(input) && input.device === "cpu" && this.#isAsBuilt)
      return this.#withoutGradient(input, lengths);
    const { referencePadding } = this.#config;
    const waveform = input.unsqueeze(2); // [batch, samples, 1]
    if (this.#config.featExtractNorm === "layer")
      return through(this.convLayers as LayerNormConvLayer[], waveform);
    const normalized = referencePadding ? lengths.map(() => input.shape[1]!) : lengths;
    const isAsBuilt = this.#isAsBuilt;
    const forward = (convLayer: this["convLayers"][number], x: Tensor, layer: number) => {
      if (!(convLayer instanceof GroupNormConvLayer)) return convLayer.forward(x);
      const frames = validFrames(this.#config, normalized, layer + 1);
      return (isAsBuilt ? convLayer.fused(x, frames) : undefined) ?? convLayer.forward(x, frames);
    };
    return this.convLayers.reduce(
      (x, convLayer, layer) => scope(() => forward(convLayer, x, layer)),
      waveform,
    ); // [batch, frames, channels]
  }

  /** Whether a gradient may be wanted of it: not where it is frozen. */
  #records(input: Tensor): boolean {
    return isGradEnabled() && (input.requiresGrad || this.parameters().some((each) => each.requiresGrad));
  }

  /** Whether no layer was replaced, and none has hooks, which would see pieces. */
  get #isAsBuilt(): boolean {
    const built = [
      GroupNormConvLayer,
      NoLayerNormConvLayer,
      LayerNormConvLayer,
      nn.Conv1d,
      nn.GroupNorm,
      nn.LayerNorm,
    ];
    const [, ...inside] = this.modules();
    return inside.every(
      (module) =>
        !nn.hasOwnForward(module) &&
        built.some(({ prototype }) => Object.getPrototypeOf(module) === prototype),
    );
  }

  /** {@link forward} where no gradient needs what lies between the layers: a clip and a piece of its time after another. */
  #withoutGradient(input: Tensor, lengths: readonly number[]): Tensor {
    const { featExtractNorm, referencePadding } = this.#config;
    const padded = input.shape[1]!;
    const [longest] = validFrames(this.#config, [padded]);
    const clips = lengths.map((samples, row) =>
      scope(() => {
        const clip = input.narrow(0, row, 1).narrow(1, 0, referencePadding ? padded : samples); // [1, samples]
        const features = featExtractNorm === "layer" ? this.#layerNormed(clip) : this.#groupNormed(clip); // [1, frames, channels]
        return features.pad([0, 0, 0, longest! - features.shape[1]!]);
      }),
    );
    return cat(clips); // [batch, frames, channels]
  }

  #layerNormed(clip: Tensor): Tensor {
    const layers = this.convLayers as LayerNormConvLayer[];
    return inPieces(clip, this.#config, (piece) => through(layers, piece.unsqueeze(2))); // [1, frames, channels]
  }

  #groupNormed(clip: Tensor): Tensor {
    const [first, ...others] = this.convLayers as [GroupNormConvLayer, ...NoLayerNormConvLayer[]];
    const layers = [{ forward: first.ofClip(clip.unsqueeze(2)) }, ...others];
    return inPieces(clip, this.#config, (piece) => through(layers, piece.unsqueeze(2))); // [1, frames, channels]
  }
}

/** A scope a layer: what it computes on its way is as large as its output, and freed behind it. */
function through(layers: readonly { forward: (x: Tensor) => Tensor }[], input: Tensor): Tensor {
  return layers.reduce((x, layer) => scope(() => layer.forward(x)), input);
}
