import { nn, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import type { Wav2Vec2Config } from "../configuration.js";
import { CONFIG } from "../configuration-kind.js";
import type { Trace } from "../trace.js";

/** Multi-head self-attention (Vaswani et al. 2017, arXiv 1706.03762). Hugging Face: `Wav2Vec2Attention`. */
export class Attention extends nn.Module {
  kProj: nn.Linear;
  vProj: nn.Linear;
  qProj: nn.Linear;
  outProj: nn.Linear;
  readonly #heads: number;
  readonly #dropout: number;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new Attention", { config: [config, CONFIG] });
    const width = config.hiddenSize;
    this.kProj = new nn.Linear(width, width);
    this.vProj = new nn.Linear(width, width);
    this.qProj = new nn.Linear(width, width);
    this.outProj = new nn.Linear(width, width);
    this.#heads = config.numAttentionHeads;
    this.#dropout = config.attentionDropout;
  }

  /**
   * @param mask bool [batch, 1, 1, time], false on padding; undefined where there is none
   * @param trace receives the weights, [batch, heads, time, time], where it asks for them
   */
  forward(hidden: Tensor, mask: Tensor | undefined, trace?: Trace): Tensor {
    const [batch, time, width] = hidden.shape as [number, number, number];
    const split = (x: Tensor) => x.view([batch, time, this.#heads, width / this.#heads]).transpose(1, 2);
    const query = split(this.qProj.forward(hidden)); // [batch, heads, time, width / heads]
    const key = split(this.kProj.forward(hidden));
    const value = split(this.vProj.forward(hidden));
    const dropout = this.training ? this.#dropout : 0;
    const attended = trace?.attentions
      ? trace.attend(nn.attentionWithWeights(query, key, value, mask, dropout))
      : nn.attention(query, key, value, mask, dropout); // [batch, heads, time, width / heads]
    return this.outProj.forward(attended.transpose(1, 2).reshape([batch, time, width])); // [batch, time, width]
  }
}
