import { nn, rand, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../../argument-kinds.js";
import { UserError } from "../../../errors.js";
import type { Wav2Vec2Config } from "../../configuration.js";
import { CONFIG } from "../../configuration-kind.js";

/** The smallest normal float32. */
const SMALLEST = 2 ** -126;

export interface Quantized {
  /** The chosen entries of all codebooks side by side, [batch, frames, codevectorDim] */
  quantized: Tensor;
  /** Which entry of each codebook was chosen, int64 [batch, frames, groups] */
  codes: Tensor;
  /** How many entries of each codebook the batch uses as if equally often, 1 to entries, [groups] */
  perplexities: Tensor;
}

/**
 * q: Z to Q in the paper (section 2): each frame chooses one entry of every codebook. In training through the
 * straight-through Gumbel softmax (Jang et al. 2017, arXiv 1611.01144), so that the choice has a gradient.
 * Hugging Face: `Wav2Vec2GumbelVectorQuantizer`.
 */
export class GumbelVectorQuantizer extends nn.Module {
  /** [1, groups * entries, codevectorDim / groups] */
  codevectors: Tensor;
  weightProj: nn.Linear;
  /** Of the Gumbel softmax; annealed in training (paper, section 4.2). */
  temperature = 2;
  readonly #groups: number;
  readonly #entries: number;

  constructor(config: Wav2Vec2Config) {
    super();
    requireArguments("new GumbelVectorQuantizer", { config: [config, CONFIG] });
    this.#groups = config.numCodevectorGroups;
    this.#entries = config.numCodevectorsPerGroup;
    const [choices, channels] = [this.#groups * this.#entries, config.convDim.at(-1)!];
    this.codevectors = nn.parameter(nn.init.uniform([1, choices, config.codevectorDim / this.#groups], 0, 1));
    this.weightProj = new nn.Linear(channels, choices);
    this.weightProj.weight = nn.parameter(nn.init.normal([choices, channels], 1));
    this.weightProj.bias = nn.parameter(nn.init.full([choices], 0));
  }

  /**
   * @param features [batch, frames, channels]
   * @param counted bool [batch, frames]: the frames that `perplexities` are of; all when left out
   * @param noise [batch, frames, groups, entries] to take for the Gumbel noise of training
   * @throws UserError for noise of another shape
   */
  forward(features: Tensor, counted?: Tensor, noise?: Tensor): Quantized {
    const [batch, frames] = features.shape as [number, number];
    const logits = this.weightProj.forward(features).view([batch, frames, this.#groups, this.#entries]);
    const scores = this.training ? this.#perturbed(logits, noise) : logits; // [batch, frames, groups, entries]
    const codes = scores.argmax(-1); // [batch, frames, groups]
    const hard = codes.oneHot(this.#entries).to({ dtype: logits.dtype });
    const choice = this.training
      ? straightThrough(hard, scores.softmax(-1).to({ dtype: logits.dtype }))
      : hard;
    const used = this.training ? logits.softmax(-1, "float32") : hard; // noise and temperature do not count
    return { quantized: this.#lookUp(choice), codes, perplexities: perplexities(used, counted) };
  }

  #perturbed(logits: Tensor, noise: Tensor | undefined): Tensor {
    if (noise && noise.shape.join() !== logits.shape.join()) {
      throw new UserError(
        `gumbelNoise must be [${logits.shape.join(", ")}], a number for each entry, but is [${noise.shape.join(", ")}].`,
      );
    }
    const gumbel = noise ?? gumbelNoise(rand(logits.shape, { dtype: "float32", device: logits.device }));
    return logits.to({ dtype: "float32" }).add(gumbel).div(this.temperature);
  }

  #lookUp(choice: Tensor): Tensor {
    const [batch, frames] = choice.shape as [number, number];
    const codebooks = this.codevectors.view([this.#groups, this.#entries, -1]);
    const byGroup = choice.view([batch * frames, this.#groups, this.#entries]).transpose(0, 1);
    return byGroup.matmul(codebooks).transpose(0, 1).reshape([batch, frames, -1]); // [batch, frames, codevectorDim]
  }
}

/** The value of one and the gradient of the other (Bengio et al. 2013, arXiv 1308.3432). */
function straightThrough(hard: Tensor, soft: Tensor): Tensor {
  return hard.add(soft.sub(soft.detach()));
}

/**
 * -log(-log(u)) of uniform draws from [0, 1), float32. A draw of exactly 0 would be infinite, and its difference to
 * another NaN (huggingface/optimum-graphcore#81).
 */
export function gumbelNoise(uniform: Tensor): Tensor {
  return uniform
    .clamp(2 ** -25)
    .log()
    .neg()
    .log()
    .neg();
}

/** exp(entropy) of each codebook's entries over the counted frames (paper, section 3.2), [groups]. */
function perplexities(shares: Tensor, counted: Tensor | undefined): Tensor {
  const [groups, entries] = shares.shape.slice(2) as [number, number];
  const rows = shares.view([-1, groups, entries]).to({ dtype: "float32" });
  const weights = counted?.reshape([-1, 1, 1]).to({ dtype: "float32" });
  const mean = weights ? rows.mul(weights).sum([0]).div(weights.sum().clamp(1)) : rows.mean([0]); // [groups, entries]
  const entropy = mean.mul(mean.clamp(SMALLEST).log()).sum([-1]).neg(); // an unused entry adds 0, and no NaN backwards
  return entropy.exp();
}
