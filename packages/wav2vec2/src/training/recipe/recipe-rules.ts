import { nearest } from "@wav2vec2/libtorch/nearest";
import { ConfigurationError } from "../../errors.js";
import { CONFIG_KEYS } from "../../model/configuration-file.js";
import type { ClassificationTask } from "../../model/heads/classification-task.js";
import type { PreTrainingRecipe, Recipe } from "./recipe-types.js";

/** A mistake in a recipe and the path of the key that it is about. */
export interface RecipeIssue {
  path: PropertyKey[];
  message: string;
}

/** A recipe that trains a classification head. */
export type ClassificationRecipe = Recipe & { task: ClassificationTask };

/** The tasks of each command that trains. */
export const COMMANDS = {
  pretrain: ["pretrain"],
  finetune: ["finetune", "classify", "frames", "speaker"],
} as const satisfies Record<string, readonly Recipe["task"][]>;

/** Which function trains a task. */
const FUNCTIONS: Readonly<Record<Recipe["task"], string>> = {
  pretrain: "pretrain",
  finetune: "finetune",
  classify: "trainClassifier",
  frames: "trainClassifier",
  speaker: "trainClassifier",
};

/** Which command trains a task. */
function commandOf(task: Recipe["task"]): string {
  return Object.entries<readonly string[]>(COMMANDS).find(([, tasks]) => tasks.includes(task))![0];
}

/** @throws ConfigurationError where a recipe trains something else */
export function requireClassification(recipe: Recipe): ClassificationRecipe {
  const { task } = recipe;
  if (task === "classify" || task === "frames" || task === "speaker") return { ...recipe, task };
  throw new ConfigurationError(
    `The task of a recipe for trainClassifier must be classify, frames or speaker, but is ${task}. Call ${FUNCTIONS[task]}(recipe).`,
  );
}

/** @throws ConfigurationError where a recipe trains something else */
export function requireTask(recipe: Recipe, task: "pretrain"): asserts recipe is PreTrainingRecipe;
export function requireTask(recipe: Recipe, task: Recipe["task"]): void;
export function requireTask(recipe: Recipe, task: Recipe["task"]): void {
  if (recipe.task === task) return;
  throw new ConfigurationError(
    `The task of a recipe for ${FUNCTIONS[task]} must be ${task}, but is ${recipe.task}. Call ${FUNCTIONS[recipe.task]}(recipe).`,
  );
}

/** Says that a recipe trains something else. */
export function otherTask(recipe: Recipe, ...tasks: readonly Recipe["task"][]): string {
  const wanted = tasks.length === 1 ? tasks[0] : `${tasks.slice(0, -1).join(", ")} or ${tasks.at(-1)}`;
  return `task must be ${wanted} for this command, but is '${recipe.task}'. Run wav2vec2 ${commandOf(recipe.task)} with this recipe.`;
}

const WITH_HEAD = COMMANDS.finetune;
const WITH_LABELS = ["classify", "frames", "speaker"] as const;

/** Tasks that a key, or all below it, belongs to. */
const OWNERS: Readonly<Record<string, readonly Recipe["task"][]>> = {
  pretraining: ["pretrain"],
  gradient_scaling: ["pretrain"],
  ctc_loss_reduction: ["finetune"],
  freeze_backbone_steps: WITH_HEAD,
  freeze_layers: WITH_HEAD,
  vocabulary: ["finetune"],
  labels: WITH_LABELS,
  train: ["finetune"],
  adapter_language: ["finetune"],
  "data.label": WITH_LABELS,
  "data.feature_cache": ["finetune"],
  "optimizer.layer_decay": WITH_HEAD,
  "optimizer.head_learning_rate": WITH_HEAD,
};

/** The tasks that know a key, such as `pretraining.padding`; undefined where all do. */
export function tasksOf(key: string): readonly Recipe["task"][] | undefined {
  return Object.entries(OWNERS).find(([owned]) => key === owned || key.startsWith(`${owned}.`))?.[1];
}

/** What a recipe holds under a dotted key. */
function valueAt(recipe: Recipe, key: string): unknown {
  return key.split(".").reduce<unknown>((value, name) => (value as Record<string, unknown>)[name], recipe);
}

/** Schedules that a key belongs to. */
const SCHEDULE_KEYS: [keyof Recipe["schedule"], Recipe["schedule"]["name"][]][] = [
  ["hold_steps", ["tri_stage"]],
  ["decay_steps", ["tri_stage"]],
  ["final_scale", ["tri_stage", "polynomial"]],
  ["power", ["polynomial"]],
  ["num_cycles", ["cosine_with_restarts"]],
];

/** Keys of which a recipe has one or the other. */
export const ALTERNATIVES: readonly (readonly [string, string])[] = [
  ["max_steps", "max_epochs"],
  ["schedule.warmup_steps", "schedule.warmup_ratio"],
];

/** Rules that concern several keys. */
export function checkTogether(recipe: Recipe): RecipeIssue[] {
  const issues: RecipeIssue[] = [];
  const { schedule, data, model, task, pretraining } = recipe;
  for (const key of Object.keys(model).filter((name) => !CONFIG_KEYS.includes(name))) {
    const guess = nearest(key, CONFIG_KEYS);
    const hint = guess ? `Did you mean '${guess}'?` : `The keys of a model are ${CONFIG_KEYS.join(", ")}.`;
    issues.push({ path: ["model", key], message: `unknown key 'model.${key}'. ${hint}` });
  }
  for (const [key, names] of SCHEDULE_KEYS) {
    if (schedule[key] !== undefined && !names.includes(schedule.name)) {
      issues.push({
        path: ["schedule", key],
        message: `schedule.${key} belongs to the schedule ${names.join(" or ")}, but schedule.name is '${schedule.name}'. Remove one of them.`,
      });
    }
  }
  for (const [key, owners] of Object.entries(OWNERS)) {
    if (owners.includes(task) || valueAt(recipe, key) === undefined) continue;
    const message = `${key} belongs to the task ${owners.join(" or ")}, but task is '${task}'. Remove one of them.`;
    issues.push({ path: key.split("."), message });
  }
  issues.push(...cacheIssues(recipe), ...adapterIssues(recipe), ...labelIssues(recipe));
  for (const [key, other] of ALTERNATIVES) {
    if (valueAt(recipe, key) === undefined || valueAt(recipe, other) === undefined) continue;
    const message = `${other} is given instead of ${key}, but both are. Remove one of them.`;
    issues.push({ path: other.split("."), message });
  }
  if (recipe.early_stopping_threshold !== undefined && recipe.early_stopping_patience === undefined) {
    issues.push({
      path: ["early_stopping_threshold"],
      message:
        "early_stopping_threshold belongs to early_stopping_patience, but that is missing. Give both or neither.",
    });
  }
  if (recipe.greater_is_better !== undefined && recipe.metric_for_best_model === undefined) {
    issues.push({
      path: ["greater_is_better"],
      message:
        "greater_is_better belongs to metric_for_best_model, but that is missing. Give both or neither.",
    });
  }
  if (recipe.freeze_layers && recipe.init !== undefined && !recipe.freeze_feature_encoder) {
    issues.push({
      path: ["freeze_layers"],
      message:
        "freeze_layers freezes all below the lowest layers too, but freeze_feature_encoder is false. Remove one of them.",
    });
  }
  if (pretraining && pretraining.min_gumbel_temperature > pretraining.max_gumbel_temperature) {
    const { min_gumbel_temperature: min, max_gumbel_temperature: max } = pretraining;
    issues.push({
      path: ["pretraining", "min_gumbel_temperature"],
      message: `pretraining.min_gumbel_temperature must be at most max_gumbel_temperature (${max}), but is ${min}.`,
    });
  }
  if (recipe.vocabulary === "model" && (recipe.init === undefined || recipe.train === "adapters")) {
    issues.push({
      path: ["vocabulary"],
      message:
        recipe.init === undefined
          ? "vocabulary: model belongs to init, but init is missing. Give both or neither."
          : "vocabulary must be transcripts with train: adapters, but is 'model'. Remove one of them.",
    });
  }
  if (recipe.init_revision !== undefined && recipe.init === undefined) {
    issues.push({
      path: ["init_revision"],
      message: "init_revision belongs to init, but init is missing. Give both or neither.",
    });
  }
  for (const [key, [low, high]] of [
    ["noise.snr_db", data.noise.snr_db],
    ["volume.db", data.volume.db],
  ] as const) {
    if (low <= high) continue;
    issues.push({
      path: ["data", ...key.split(".")],
      message: `data.${key} must go from the lowest to the highest, but goes from ${low} to ${high}.`,
    });
  }
  if (data.max_seconds <= data.min_seconds) {
    issues.push({
      path: ["data", "max_seconds"],
      message: `data.max_seconds must be more than data.min_seconds (${data.min_seconds}), but is ${data.max_seconds}.`,
    });
  }
  return issues;
}

/** What keeps features from being the same each time. */
function cacheIssues({ data, freeze_feature_encoder: frozen }: Recipe): RecipeIssue[] {
  if (data.feature_cache === undefined) return [];
  const changes = {
    "data.speed_perturbation": data.speed_perturbation > 0,
    "data.noise.directory": data.noise.directory !== undefined,
    "data.reverberation.directory": data.reverberation.directory !== undefined,
    "data.volume.db": data.volume.db.some((change) => change !== 0),
  };
  const changing = Object.entries(changes).flatMap(([key, changed]) => (changed ? [key] : []));
  const reasons = [
    ...(frozen ? [] : ["freeze_feature_encoder is false"]),
    ...(changing.length > 0 ? [`${changing.join(" and ")} changes the clips`] : []),
  ];
  return reasons.map((reason) => ({
    path: ["data", "feature_cache"],
    message: `data.feature_cache needs features that stay the same, but ${reason}. Remove one of them.`,
  }));
}

/** What contradicts the labels of a classification head. */
function labelIssues({ task, labels, init, data, model }: Recipe): RecipeIssue[] {
  const issues: RecipeIssue[] = [];
  if (labels === "model" && init === undefined)
    issues.push({
      path: ["labels"],
      message: "labels: model belongs to init, but init is missing. Give both or neither.",
    });
  if (task === "frames" && data.speed_perturbation > 0)
    issues.push({
      path: ["data", "speed_perturbation"],
      message: `data.speed_perturbation moves what segments say the times of, but is ${data.speed_perturbation} with the task frames. Leave it out.`,
    });
  if (WITH_LABELS.some((name) => name === task) && model.id2label !== undefined)
    issues.push({
      path: ["model", "id2label"],
      message: "model.id2label is what the clips' labels decide, but is given. Leave it out.",
    });
  return issues;
}

/** What contradicts training adapters alone. */
function adapterIssues(recipe: Recipe): RecipeIssue[] {
  if (recipe.train !== "adapters") {
    if (recipe.adapter_language === undefined) return [];
    const message = "adapter_language belongs to train: adapters, but train is 'all'. Remove one of them.";
    return [{ path: ["adapter_language"], message }];
  }
  const others = {
    freeze_backbone_steps: Boolean(recipe.freeze_backbone_steps),
    freeze_layers: Boolean(recipe.freeze_layers),
    freeze_feature_encoder: recipe.init !== undefined && !recipe.freeze_feature_encoder,
  };
  return Object.entries(others).flatMap(([key, contradicts]) => {
    if (!contradicts) return [];
    const message = `train: adapters says what is trained in every layer, but so does ${key}. Remove one of them.`;
    return [{ path: [key], message }];
  });
}
