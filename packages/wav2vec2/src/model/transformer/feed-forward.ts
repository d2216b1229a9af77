import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";

/** The transformer's position-wise network. Hugging Face: `Wav2Vec2FeedForward`. */
export class FeedForward extends nn.Module {
  intermediateDense: nn.Linear;
  intermediateDropout: nn.Dropout;
  outputDense: nn.Linear;
  outputDropout: nn.Dropout;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new FeedForward", { config: [config, CONFIG] });
    this.intermediateDense = new nn.Linear(config.hiddenSize, config.intermediateSize);
    this.intermediateDropout = new nn.Dropout(config.activationDropout);
    this.outputDense = new nn.Linear(config.intermediateSize, config.hiddenSize);
    this.outputDropout = new nn.Dropout(config.hiddenDropout);
    this.#activation = nn.activation(config.hiddenAct);
  }

  forward(hidden: Tensor): Tensor {
    const inner = this.#activation(this.intermediateDense.forward(hidden)); // [batch, time, intermediate]
    return this.outputDropout.forward(this.outputDense.forward(this.intermediateDropout.forward(inner))); // [batch, time, width]
  }
}
