import { isDeepStrictEqual } from "node:util";
import { nn } from "@wav2vec2/libtorch";
import { hooksOf, transformFault } from "../../data/batches/load-transforms.js";
import type { Transforms } from "../../data/batches/transforms.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { resolveModel } from "../../files/hub/hub.js";
import type { Wav2Vec2Config } from "../../model/configuration.js";
import { Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import { ModelWithHead } from "../../model/heads/model-with-head.js";
import type { Wav2Vec2ForPreTraining } from "../../model/heads/pretraining/pretraining.js";
import type { Wav2Vec2Model } from "../../model/wav2vec2-model.js";
import type { NewHead } from "../../pretrained/model-directory.js";
import type { Recipe } from "../recipe/recipe.js";
import type { RunOptions } from "./training-run.js";

/** A class of models of one's own. */
export interface OwnModel<Model> {
  /** Made in place of the project's own class, of which it is a subclass. */
  model: new (
    config: Wav2Vec2Config,
  ) => Model;
  /**
   * With `init`: when the class's own heads start from random weights. `where different` is for a head of another size than
   * the directory's. Default: where missing
   */
  newHead?: NewHead | undefined;
}

/** @throws ConfigurationError where a model's class of one's own is none, or not one of the project's made anew */
export function requireSubclass(
  modelClass: unknown,
  base: abstract new (...given: never) => nn.Module,
): void {
  const isOne =
    typeof modelClass === "function" && (modelClass === base || modelClass.prototype instanceof base);
  if (isOne) return;
  throw new ConfigurationError(
    `The option model must be a class that extends ${base.name}, such as class MyModel extends ${base.name} { … }, but is ` +
      `${typeof modelClass === "function" ? "another function" : describeValue(modelClass)}.`,
  );
}

/** Lets a network draw its masks by the module of transforms, where that has a sampler. */
export async function useSpanSampler(
  network: Wav2Vec2Model,
  transforms: Transforms | undefined,
): Promise<void> {
  if (!transforms) return;
  const { sampleMask } = await hooksOf(transforms);
  if (!sampleMask) return;
  network.spanSampler = (...given) => {
    try {
      return sampleMask(...given);
    } catch (error) {
      throw new UserError(transformFault("sampleMask", transforms, "in the network", error), {
        cause: error,
      });
    }
  };
}

/** The directory of the model to start from, where the recipe has one. @throws the signal's reason where it is aborted */
export async function findInit(recipe: Recipe, options: RunOptions): Promise<string | undefined> {
  if (recipe.init === undefined) return undefined;
  return await resolveModel(recipe.init, {
    revision: recipe.init_revision,
    signal: options.signal,
    onProgress: options.onDownload,
    onNote: (text) => options.tracker?.note?.(text),
  });
}

/** @throws ConfigurationError where random weights would be left as they are */
export function requireLearnedBackbone({
  init,
  freeze_backbone_steps: steps,
  freeze_layers: layers,
  train,
}: Pick<Recipe, "init" | "freeze_backbone_steps" | "freeze_layers" | "train">): void {
  const key = steps ? "freeze_backbone_steps" : layers ? "freeze_layers" : "train: adapters";
  if (init !== undefined || !(steps || layers || train === "adapters")) return;
  throw new ConfigurationError(
    `${key} must leave a model as it is that has learned, but the weights ` +
      "are random. Give --model, or remove the key.",
  );
}

/** What a network's weights were made for; dropouts, masks and losses may change. */
const NETWORK = [
  "modelType" as const,
  ...(["hiddenSize", "numHiddenLayers", "numAttentionHeads", "intermediateSize", "hiddenAct"] as const),
  ...([
    "featExtractNorm",
    "featExtractActivation",
    "convDim",
    "convStride",
    "convKernel",
    "convBias",
    "featProjLayerNorm",
  ] as const),
  ...([
    "numConvPosEmbeddings",
    "numConvPosEmbeddingGroups",
    "convPosKernelSize",
    "convPosBatchNorm",
  ] as const),
  "doStableLayerNorm" as const,
];

/** And a quantizer's. */
const QUANTIZER = [
  ...(["numCodevectorGroups", "numCodevectorsPerGroup", "codevectorDim", "projCodevectorDim"] as const),
];

/** A recipe that shapes a network of its own cannot start from another one's weights. */
export function requireSameShape(
  init: string,
  base: Wav2Vec2Config,
  config: Wav2Vec2Config,
  part: "network" | "network and quantizer" = "network",
): void {
  const shape = part === "network" ? NETWORK : [...NETWORK, ...QUANTIZER];
  const changed = shape.filter((field) => !isDeepStrictEqual(base[field], config[field]));
  if (changed.length === 0) return;
  const first = changed[0]!;
  const keys = changed.map(nn.stateName).join(", ");
  throw new ConfigurationError(
    `The recipe's model must have the shape of ${init}, but its ${nn.stateName(first)} is ` +
      `${JSON.stringify(config[first])} instead of ${JSON.stringify(base[first])}. Leave these keys out of it: ${keys}.`,
  );
}

/** What a recipe wants of any network that is trained. */
export function prepareNetwork(model: ModelWithHead | Wav2Vec2ForPreTraining, recipe: Recipe): void {
  if (recipe.freeze_feature_encoder) model.freezeFeatureEncoder();
  if (recipe.train === "adapters" && model instanceof Wav2Vec2ForCTC) model.trainAdaptersOnly();
  if (recipe.freeze_layers && model instanceof ModelWithHead) model.freezeLayers(recipe.freeze_layers);
  model.gradientCheckpointingEnable(recipe.gradient_checkpointing);
}
