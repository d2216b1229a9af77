import { conv1d, nn, type Tensor } from "@wav2vec2/libtorch";
import type { Wav2Vec2Config } from "../configuration.js";
import { initializeWeights } from "../initialization.js";

/**
 * A time-delay layer: a dilated convolution over frames and a ReLU (Waibel et al. 1989; Snyder et al. 2018). Its weight is
 * stored as that of a linear layer over the frames that it sees. Hugging Face: `TDNNLayer`.
 */
export class TdnnLayer extends nn.Module {
  kernel: nn.Linear;
  readonly #shape: [outWidth: number, frames: number, inWidth: number];
  readonly #dilation: number;

  constructor(config: Wav2Vec2Config, layer: number) {
    super();
    const inWidth = config.tdnnDim[Math.max(0, layer - 1)]!;
    this.#shape = [config.tdnnDim[layer]!, config.tdnnKernel[layer]!, inWidth];
    this.#dilation = config.tdnnDilation[layer]!;
    this.kernel = new nn.Linear(inWidth * config.tdnnKernel[layer]!, config.tdnnDim[layer]!);
    initializeWeights(this.kernel, config);
  }

  /** [batch, frames, width in] to [batch, frames - dilation (kernel - 1), width out] */
  forward(hidden: Tensor): Tensor {
    const weight = this.kernel.weight.view(this.#shape).transpose(1, 2); // [width out, width in, kernel]
    const convolved = conv1d(hidden.transpose(1, 2), weight, this.kernel.bias, 1, 0, this.#dilation);
    return convolved.transpose(1, 2).relu(); // [batch, fewer frames, width out]
  }
}

/** Frames that the layers leave of so many; 0 where they need more. */
export function tdnnFrames(
  { tdnnKernel, tdnnDilation }: Pick<Wav2Vec2Config, "tdnnKernel" | "tdnnDilation">,
  frames: number,
): number {
  return Math.max(
    0,
    tdnnKernel.reduce((left, kernel, layer) => left - tdnnDilation[layer]! * (kernel - 1), frames),
  );
}
