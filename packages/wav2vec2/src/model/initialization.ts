import { nn } from "@wav2vec2/libtorch";
import { OBJECT, requireArguments } from "../argument-kinds.js";
import { MODULE } from "../module-kinds.js";
import type { Wav2Vec2Config } from "./configuration.js";
import { FeatureProjection } from "./features/feature-projection.js";

/**
 * First weights as Hugging Face's `_init_weights`: linear layers N(0, initializer_range) with bias 0, the feature
 * projection U(-b, b) with b = 1 / sqrt(channels). Convolutions set their own.
 */
export function initializeWeights(module: nn.Module, config: Wav2Vec2Config): void {
  requireArguments("initializeWeights", { module: [module, MODULE], config: [config, OBJECT] });
  if (module instanceof FeatureProjection) return; // nn.Linear starts that way
  if (module instanceof nn.Linear) {
    const [outFeatures, inFeatures] = module.weight.shape as [number, number];
    module.weight = nn.parameter(nn.init.normal([outFeatures, inFeatures], config.initializerRange));
    if (module.bias) module.bias = nn.parameter(nn.init.full([outFeatures], 0));
  }
  for (const child of module.children()) initializeWeights(child, config);
}
