import { type nn, optim } from "@wav2vec2/libtorch";
import type { Recipe } from "./recipe.js";

/** AdamW over what is trained. */
export function makeOptimizer(module: nn.Module, { optimizer }: Recipe): optim.AdamW {
  const trained = module.parameters().filter((tensor) => tensor.requiresGrad);
  const matrices = trained.filter((tensor) => tensor.shape.length > 1);
  const vectors = trained.filter((tensor) => tensor.shape.length <= 1); // biases and norms
  const spared = optimizer.decay_biases_and_norms ? {} : { weightDecay: 0 };
  const groups = [{ parameters: matrices }, { parameters: vectors, ...spared }];
  return new optim.AdamW(groups, {
    learningRate: optimizer.learning_rate,
    betas: optimizer.betas,
    eps: optimizer.eps,
    weightDecay: optimizer.weight_decay,
  });
}
