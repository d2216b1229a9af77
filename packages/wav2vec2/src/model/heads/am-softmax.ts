import { crossEntropyLoss, nn, type Tensor, tensor } from "@wav2vec2/libtorch";

const SCALE = 30;
const MARGIN = 0.4;

/**
 * Additive margin softmax (Wang et al. 2018, arXiv 1801.05599): the cosines between a clip's vector and one of each label
 * are its scores, and in the loss the right one must be ahead by a margin. Hugging Face: `AMSoftmaxLoss`.
 */
export class AmSoftmaxLoss extends nn.Module {
  /** A vector of each label, [width, labels] */
  weight: Tensor;

  constructor(width: number, labels: number) {
    super();
    this.weight = nn.parameter(nn.init.normal([width, labels], 1));
  }

  /** The cosine with each label's vector, from -1 to 1: [batch, width] to [batch, labels] */
  cosines(hidden: Tensor): Tensor {
    return unit(hidden, 1).mm(unit(this.weight, 0));
  }

  /** @param ids the label of each clip, [batch] */
  forward(hidden: Tensor, ids: ArrayLike<number>): Tensor {
    const cosines = this.cosines(hidden); // [batch, labels]
    const target = tensor(Array.from(ids), [ids.length], { dtype: "int64", device: hidden.device });
    const margins = target.oneHot(this.weight.shape[1]!).to({ dtype: cosines.dtype }).mul(MARGIN); // [batch, labels]
    return crossEntropyLoss(cosines.sub(margins).mul(SCALE), target);
  }
}

/** Vectors of length 1 along a dimension, as `torch.nn.functional.normalize`. */
export function unit(vectors: Tensor, dimension: number): Tensor {
  return vectors.div(vectors.norm(2, [dimension], true).clamp(1e-12));
}
