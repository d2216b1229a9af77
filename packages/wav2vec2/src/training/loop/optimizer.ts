import { type nn, optim, type Tensor } from "@wav2vec2/libtorch";
import { requireArguments } from "../../argument-kinds.js";
import { ConfigurationError } from "../../errors.js";
import { MODULE } from "../../module-kinds.js";
import { findBackbone } from "../../pretrained/backbone.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { Recipe } from "../recipe/recipe.js";
import { RECIPE } from "../recipe/recipe-kind.js";
import { HookError } from "../task/own-hooks.js";
import type { Task } from "../task/task.js";

/**
 * A task's own optimiser, or AdamW over what is trained.
 *
 * @param isElsewhere whether another process updates a parameter
 * @throws HookError where the task's is none, or has parameters that are not the module's
 */
export function optimizerOf(
  { module, optimizer: make }: Pick<Task, "module" | "optimizer">,
  recipe: Recipe,
  isElsewhere: (parameter: Tensor) => boolean,
  tracker: Pick<Tracker, "note">,
): optim.Optimizer {
  if (!make) return makeOptimizer(module, recipe, isElsewhere);
  const groups = parameterGroups(module, recipe, isElsewhere);
  const own: unknown = make(groups, recipe);
  if (!(own instanceof optim.Optimizer))
    throw new HookError(
      "optimizer",
      0,
      "must return an optim.Optimizer, such as new optim.SGD(groups, { learningRate }), but did not",
    );
  const theirs = new Set(groups.flatMap(({ parameters }) => parameters));
  if (!own.parameters.every((parameter) => theirs.has(parameter)))
    throw new HookError(
      "optimizer",
      0,
      "must have parameters of the groups that it is given alone, but has others",
    );
  const missing = theirs.size - own.parameters.length;
  if (missing > 0)
    tracker.note(
      `The task's optimizer leaves out ${missing} of ${theirs.size} parameters that could learn: they stay as they are.`,
    );
  return own;
}

/** AdamW over what is trained, as a recipe says. */
export function makeOptimizer(
  module: nn.Module,
  recipe: Recipe,
  isElsewhere: (parameter: Tensor) => boolean = () => false,
): optim.Optimizer {
  requireArguments("makeOptimizer", { module: [module, MODULE], recipe: [recipe, RECIPE] });
  const { learning_rate: learningRate, betas, eps, weight_decay: weightDecay } = recipe.optimizer;
  return new optim.AdamW(parameterGroups(module, recipe, isElsewhere), {
    learningRate,
    betas,
    eps,
    weightDecay,
  });
}

/**
 * What is trained, a group each, with its share of the learning rate, and without decay for biases and norms, as a recipe says.
 *
 * @throws ConfigurationError where the recipe has rates by layers, and the module has no network with layers
 */
export function parameterGroups(
  module: nn.Module,
  recipe: Recipe,
  isElsewhere: (parameter: Tensor) => boolean = () => false,
): optim.ParameterGroup[] {
  requireArguments("parameterGroups", { module: [module, MODULE], recipe: [recipe, RECIPE] });
  const { optimizer } = recipe;
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
  return [...matrices.map(group), ...vectors.map((each) => ({ ...group(each), ...spared }))];
}

/**
 * The share of `learning_rate` that each parameter is trained with: layer-wise decay as in ELECTRA (Clark et al. 2020,
 * arXiv 2003.10555, appendix A), with a rate of its own for what is outside the network: its head or heads.
 *
 * @returns share of a parameter by its checkpoint key
 */
function learningRateShares(
  module: nn.Module,
  { learning_rate: rate, head_learning_rate: headRate = rate, layer_decay: decay = 1 }: Recipe["optimizer"],
): (name: string) => number {
  if (decay === 1 && headRate === rate) return () => 1;
  const backbone = findBackbone(module);
  if (!backbone)
    throw new ConfigurationError(
      "optimizer.layer_decay and optimizer.head_learning_rate tell layers and heads apart by the module's Wav2Vec2Model, but it has " +
        "none. Leave them out, or give the task an optimizer.",
    );
  const { prefix, model } = backbone;
  const { numHiddenLayers: layers, doStableLayerNorm } = model.config;
  return (key) => {
    if (!key.startsWith(prefix)) return headRate / rate;
    const name = key.slice(prefix.length);
    const layer = /^encoder\.layers\.(\d+)\./.exec(name)?.[1];
    if (layer !== undefined) return decay ** (layers - 1 - Number(layer));
    if (name.startsWith("adapter.")) return 1; // above the layers, as a pre-norm encoder's last norm
    if (name.startsWith("encoder.layer_norm.") && doStableLayerNorm) return 1;
    return decay ** (name.startsWith("feature_extractor.") ? layers + 1 : layers);
  };
}
