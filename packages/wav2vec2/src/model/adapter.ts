import { nn, type Tensor } from "@wav2vec2/libtorch";
import { adapterFrames, type Wav2Vec2Config } from "./configuration.js";
import { frameMask } from "./masking.js";
import { skipsLayer } from "./transformer/layer-drop.js";

/** A strided convolution and a gate (Dauphin et al. 2017, arXiv 1612.08083). */
class AdapterLayer extends nn.Module {
  conv: nn.Conv1d;

  constructor({ outputHiddenSize: width, adapterKernelSize: kernel, adapterStride: stride }: Wav2Vec2Config) {
    super();
    this.conv = new nn.Conv1d(width, 2 * width, kernel, { stride, padding: 1 });
    this.conv.weight = nn.parameter(nn.init.kaimingNormal([2 * width, width, kernel], width * kernel));
  }

  /** [batch, width, time] to [batch, width, shorter time] */
  forward(hidden: Tensor): Tensor {
    return this.conv.forward(hidden).glu(1);
  }
}

/**
 * Convolutions behind the transformer that shorten its output by their strides (`add_adapter`; Li et al. 2020, arXiv
 * 2010.12829). Padding is 0 before each, so that a clip's output does not depend on the batch it is in; Hugging Face's
 * convolutions see what the transformer left there, as with `referencePadding`. Hugging Face: `Wav2Vec2Adapter`.
 */
export class Adapter extends nn.Module {
  proj: nn.Linear | undefined;
  projLayerNorm: nn.LayerNorm | undefined;
  layers: AdapterLayer[];
  readonly #config: Wav2Vec2Config;

  constructor(config: Wav2Vec2Config) {
    super();
    this.#config = config;
    const { hiddenSize, outputHiddenSize } = config;
    const widens = hiddenSize !== outputHiddenSize;
    this.proj = widens ? new nn.Linear(hiddenSize, outputHiddenSize) : undefined;
    this.projLayerNorm = widens ? new nn.LayerNorm(outputHiddenSize) : undefined;
    this.layers = Array.from({ length: config.numAdapterLayers }, () => new AdapterLayer(config));
  }

  /** [batch, time, width] to [batch, shorter time, output width], and each clip's own frames of it */
  forward(hidden: Tensor, frames: readonly number[]): { hidden: Tensor; frames: number[] } {
    const projected = this.proj ? this.projLayerNorm!.forward(this.proj.forward(hidden)) : hidden;
    let state = projected.transpose(1, 2); // [batch, output width, time]
    let own = [...frames];
    for (const layer of this.layers) {
      if (skipsLayer(this.training, this.#config)) continue; // and the output stays longer
      state = layer.forward(this.#withoutPadding(state, own));
      own = own.map((count) => adapterFrames({ ...this.#config, numAdapterLayers: 1 }, count));
    }
    return { hidden: state.transpose(1, 2), frames: own };
  }

  #withoutPadding(state: Tensor, frames: readonly number[]): Tensor {
    const time = state.shape[2]!;
    if (this.#config.referencePadding || frames.every((count) => count === time)) return state;
    return state.mul(frameMask(frames, time, state.device).unsqueeze(1));
  }
}
