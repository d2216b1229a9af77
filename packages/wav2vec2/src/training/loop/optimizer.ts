import { type nn, optim, type Tensor } from "@wav2vec2/libtorch";
import { ModelWithHead } from "../../model/heads/model-with-head.js";
import type { Recipe } from "../recipe/recipe.js";

/**
 * AdamW over what is trained.
 *
 * @param isElsewhere whether another process updates a parameter
 */
export function makeOptimizer(
  module: nn.Module,
  { optimizer }: Recipe,
  isElsewhere: (parameter: Tensor) => boolean = () => false,
): optim.AdamW {
  const trained = [...module.namedParameters()].filter(([, tensor]) => tensor.requiresGrad);
  const matrices = trained.filter(([, tensor]) => tensor.shape.length > 1);
  const vectors = trained.filter(([, tensor]) => tensor.shape.length <= 1); // biases and norms
  const spared = optimizer.decay_biases_and_norms ? {} : { weightDecay: 0 };
  const share = learningRateShares(module, optimizer);
  // A group each: the order, by which checkpoints know them, does not depend on the rates.
  const group = ([name, tensor]: [string, Tensor]) => ({
    parameters: [tensor],
    learningRateScale: share(name),
    elsewhere: isElsewhere(tensor),
  });
  const groups = [...matrices.map(group), ...vectors.map((each) => ({ ...group(each), ...spared }))];
  return new optim.AdamW(groups, {
    learningRate: optimizer.learning_rate,
    betas: optimizer.betas,
    eps: optimizer.eps,
    weightDecay: optimizer.weight_decay,
  });
}

/**
 * The share of `learning_rate` that each parameter is trained with: layer-wise decay as in ELECTRA (Clark et al. 2020,
 * arXiv 2003.10555, appendix A), with a rate of its own for the head.
 *
 * @returns share of a parameter by its checkpoint key
 */
function learningRateShares(
  module: nn.Module,
  { learning_rate: rate, head_learning_rate: headRate = rate, layer_decay: decay = 1 }: Recipe["optimizer"],
): (name: string) => number {
  if (!(module instanceof ModelWithHead)) return () => 1;
  const { numHiddenLayers: layers, doStableLayerNorm } = module.config;
  return (name) => {
    if (!name.startsWith("wav2vec2.")) return headRate / rate;
    const layer = /^wav2vec2\.encoder\.layers\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) return decay ** (layers - 1 - Number(layer));
    if (name.startsWith("wav2vec2.adapter.")) return 1; // above the layers, as a pre-norm encoder's last norm
    if (name.startsWith("wav2vec2.encoder.layer_norm.") && doStableLayerNorm) return 1;
    return decay ** (name.startsWith("wav2vec2.feature_extractor.") ? layers + 1 : layers);
  };
}
