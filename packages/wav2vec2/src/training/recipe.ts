import { z } from "zod";
import { nearest } from "../data/nearest.js";
import { ConfigurationError } from "../errors.js";
import { CONFIG_KEYS } from "../model/configuration-file.js";

// Names and defaults follow Hugging Face's run_speech_recognition_ctc.py and run_wav2vec2_pretraining_no_trainer.py;
// where fairseq's or the paper's differ, the description says so. docs/recipes.md is generated from the descriptions (scripts/recipe-docs.mjs).

const count = () => z.int().positive();
const amount = () => z.number().positive();

const share = () => z.number().min(0).max(1);

const noise = z.strictObject({
  directory: z
    .string()
    .optional()
    .describe("Directory of recordings to add to clips in training, such as MUSAN. Default: none"),
  probability: share().default(0.5).describe("Share of clips that get noise"),
  snr_db: z
    .tuple([z.number(), z.number()])
    .default([5, 20])
    .describe("Lowest and highest signal-to-noise ratio in decibels; drawn evenly between"),
});

const reverberation = z.strictObject({
  directory: z
    .string()
    .optional()
    .describe("Directory of impulse responses of rooms, to put clips into in training. Default: none"),
  probability: share().default(0.5).describe("Share of clips that are put into a room"),
});

const volume = z.strictObject({
  db: z
    .tuple([z.number(), z.number()])
    .default([0, 0])
    .describe("Lowest and highest change of the volume in training, in decibels; drawn evenly between"),
});

const data = z.strictObject({
  root: z
    .string()
    .describe(
      "Corpus: a directory in LibriSpeech layout, of manifests or of folders of audio, or a manifest (docs/data.md)",
    ),
  train_split: z
    .string()
    .default("train")
    .describe("Split to train on; several are joined with +, such as train-clean-100+train-clean-360"),
  train_share: share()
    .positive()
    .default(1)
    .describe(
      "Share of the training split's clips to train on, drawn by the seed; 0.1 shows what a tenth of the labels does",
    ),
  eval_split: z
    .string()
    .default("dev")
    .describe("Split to validate on and to choose the best model by; pre-training needs no transcripts"),
  exclude: z
    .string()
    .optional()
    .describe("File with the ids of utterances to leave out, one a line, such as `data check` writes"),
  on_bad_data: z
    .enum(["error", "skip"])
    .default("error")
    .describe(
      "What becomes of clips that cannot be used (unreadable, corrupt, without text): error stops, skip leaves them " +
        "out and lists them in left-out.txt",
    ),
  batch_seconds: amount()
    .optional()
    .describe(
      "Seconds of audio in a batch, padding included; a step sees gradient_accumulation such batches. Default: 100, " +
        "or no limit with batch_size",
    ),
  batch_size: count()
    .optional()
    .describe("Clips in a batch at most. Default: as many as batch_seconds allows"),
  min_seconds: z
    .number()
    .nonnegative()
    .default(0.1)
    .describe("Training leaves out utterances shorter than this"),
  max_seconds: amount().default(20).describe("Training leaves out utterances longer than this"),
  normalize: z
    .boolean()
    .optional()
    .describe(
      "Bring each clip to zero mean and unit variance. Default: as init's directory says, true without (the paper's BASE: " +
        "false)",
    ),
  workers: z
    .int()
    .nonnegative()
    .default(1)
    .describe("Threads that decode audio ahead of training; 0 decodes between the steps"),
  speed_perturbation: z
    .number()
    .min(0)
    .max(0.5)
    .default(0)
    .describe(
      "Training plays each clip up to this share faster or slower, newly drawn every epoch; 0.1 is usual",
    ),
  noise: noise.prefault({}),
  reverberation: reverberation.prefault({}),
  volume: volume.prefault({}),
});

const optimizer = z.strictObject({
  learning_rate: amount()
    .default(3e-4)
    .describe("Highest learning rate (the paper pre-trains with 5e-4 and fine-tunes with 2e-5 to 3e-5)"),
  betas: z
    .tuple([z.number().min(0).lt(1), z.number().min(0).lt(1)])
    .default([0.9, 0.98])
    .describe("Decay rates of Adam's two moments"),
  eps: amount().default(1e-8).describe("Added to Adam's denominator"),
  weight_decay: z.number().nonnegative().default(0).describe("Decoupled weight decay (AdamW)"),
  decay_biases_and_norms: z
    .boolean()
    .default(false)
    .describe("Decay biases, norms and other vectors too, as fairseq does"),
  max_grad_norm: z
    .number()
    .nonnegative()
    .default(1)
    .describe(
      "Gradients are scaled down to this norm; 0 leaves them as they are, as fairseq and Hugging Face's pre-training do",
    ),
});

const schedule = z.strictObject({
  name: z
    .enum(["linear", "polynomial", "cosine", "cosine_with_restarts", "constant", "tri_stage"])
    .default("linear")
    .describe(
      "Course of the learning rate after its warm-up; linear is the paper's for pre-training, tri_stage for fine-tuning",
    ),
  warmup_steps: z
    .int()
    .nonnegative()
    .default(500)
    .describe("Steps over which the learning rate rises from 0"),
  hold_steps: z
    .int()
    .nonnegative()
    .optional()
    .describe("tri_stage: steps at the highest rate. Default: 40 % of max_steps"),
  decay_steps: count()
    .optional()
    .describe("tri_stage: steps of exponential decay. Default: all that are left"),
  final_scale: amount()
    .max(1)
    .optional()
    .describe(
      "tri_stage, polynomial: last learning rate as a share of the highest. Default: 0.05 and 0 (fairseq's)",
    ),
  power: amount().optional().describe("polynomial: 1 is linear. Default: 1"),
  num_cycles: count()
    .optional()
    .describe("cosine_with_restarts: how often it falls from the highest rate to 0. Default: 1"),
});

const pretraining = z.strictObject({
  max_gumbel_temperature: amount().default(2).describe("Temperature of the Gumbel softmax at the first step"),
  min_gumbel_temperature: amount().default(0.5).describe("Its lowest value (the paper's LARGE: 0.1)"),
  gumbel_temperature_decay: amount()
    .max(1)
    .default(0.999995)
    .describe(
      "Factor from step to step; 0.999995 reaches 0.5 after 277,259 steps, so shorter runs want less",
    ),
  padding: z
    .enum(["pad", "crop"])
    .default("pad")
    .describe(
      "What becomes of clips of different lengths: pad adds zeros as Hugging Face does, crop cuts all clips of a batch to " +
        "the shortest as fairseq does",
    ),
});

export const recipeSchema = z.strictObject({
  task: z
    .enum(["pretrain", "finetune"])
    .default("finetune")
    .describe("What to train: pretrain is self-supervised learning, finetune is speech recognition with CTC"),
  seed: z.int().nonnegative().default(1).describe("Seed of weights, order, masks and dropout"),
  max_steps: count().default(5000).describe("Optimiser steps"),
  max_minutes: amount()
    .optional()
    .describe("Time limit: stop after this many minutes of training even if steps are left. Default: none"),
  output: z
    .string()
    .describe("Run directory. Default: runs/ and the recipe file's name, or the task's without a file"),
  data: data.prefault({} as z.input<typeof data>),
  preset: z
    .enum(["base", "large", "large-lv60", "xlsr-300m"])
    .default("base")
    .describe("Published shape of the network where there is no init; model changes it"),
  model: z
    .record(z.string(), z.unknown())
    .default({})
    .describe(
      "Keys of Hugging Face's config.json: the network to train from scratch, or what differs from init's",
    ),
  init: z.string().optional().describe("Model directory or Hub id to start from. Default: random weights"),
  init_revision: z
    .string()
    .optional()
    .describe("Branch, tag or commit of a Hub model to start from. Default: main"),
  freeze_feature_encoder: z
    .boolean()
    .default(false)
    .describe(
      "Leave the convolutions as they are, as the paper does in fine-tuning. Default: true for finetune with init, else " +
        "false",
    ),
  gradient_checkpointing: z
    .boolean()
    .default(false)
    .describe(
      "Keep only the input of each transformer layer and compute the rest again in the backward pass: less memory, " +
        "about a quarter more time",
    ),
  pretraining: pretraining.optional().describe("Only for the task pretrain"),
  optimizer: optimizer.prefault({}),
  schedule: schedule.prefault({}),
  ctc_loss_reduction: z
    .enum(["sum", "mean"])
    .optional()
    .describe(
      "Only for the task finetune: mean divides each utterance's loss by its labels and averages; sum adds up (Hugging Face's and " +
        "fairseq's loss). Default: mean",
    ),
  gradient_accumulation: count()
    .default(1)
    .describe(
      "Batches a step. Their losses count as one batch's: pre-training divides once by the masked frames of all",
    ),
  gradient_scaling: z
    .enum(["once", "every_batch"])
    .optional()
    .describe(
      "Only for the task pretrain: how a step's batches are averaged. Default: once. every_batch divides all gradients so far after each, as Hugging Face's " +
        "pre-training script does, so that earlier batches count less",
    ),
  logging_steps: count().default(50).describe("Steps between two lines of metrics"),
  eval_steps: count().default(500).describe("Steps between two validations"),
  save_steps: count().default(500).describe("Steps between two checkpoints to resume from"),
  keep_checkpoints: count().default(2).describe("How many of the newest checkpoints to keep"),
  threads: count().optional().describe("CPU threads. Default: libtorch's choice, one a core"),
  precision: z
    .enum(["float32", "bfloat16", "float16"])
    .default("float32")
    .describe(
      "Number format of the forward pass; weights stay in float32. float16 scales the loss so that small gradients do " +
        "not vanish",
    ),
});

/** A resolved recipe: every key has its value. Paths are relative to the working directory. */
export type Recipe = z.infer<typeof recipeSchema>;

/** A recipe of the task pretrain. */
export type PreTrainingRecipe = Recipe & { pretraining: NonNullable<Recipe["pretraining"]> };

/** A mistake in a recipe and the path of the key that it is about. */
export interface RecipeIssue {
  path: PropertyKey[];
  message: string;
}

export type RecipeResult = { recipe: Recipe; issues?: never } | { recipe?: never; issues: RecipeIssue[] };

/** Fills in defaults and checks every key of `values`; all mistakes come back together. */
export function parseRecipe(values: unknown): RecipeResult {
  const result = recipeSchema.safeParse(withTaskDefaults(values), { reportInput: true });
  if (!result.success) return { issues: result.error.issues.flatMap((issue) => explain(issue, values)) };
  const issues = checkTogether(result.data);
  return issues.length > 0 ? { issues } : { recipe: result.data };
}

/** Defaults that depend on other keys. */
function withTaskDefaults(values: unknown): unknown {
  if (!isRecord(values)) return values;
  const task = values.task ?? "finetune";
  const defaults: Record<string, unknown> = { output: `runs/${String(task)}` };
  if (task === "pretrain") Object.assign(defaults, { pretraining: {}, gradient_scaling: "once" });
  if (task === "finetune") defaults.ctc_loss_reduction = "mean";
  if (task === "finetune" && values.init !== undefined) defaults.freeze_feature_encoder = true;
  return { ...defaults, ...values };
}

/**
 * A recipe made in code, with defaults filled in.
 * @throws ConfigurationError with a line for each wrong key.
 */
export function resolveRecipe(values: unknown): Recipe {
  const { recipe, issues } = parseRecipe(values);
  if (recipe) return recipe;
  throw new ConfigurationError(issues.map(({ message }) => message).join("\n"));
}

/** The recipe's JSON Schema, for editors that complete and check YAML. */
export function recipeJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(recipeSchema, { io: "input" });
}

/** One key of a recipe as documentation and the command line need it. */
export interface RecipeKey {
  /** Dotted path, such as `optimizer.learning_rate`. */
  name: string;
  type: "string" | "number" | "boolean" | "list" | "map";
  choices?: readonly string[];
  default?: unknown;
  description: string;
}

/** Every key that a recipe can hold, in the schema's order. */
export function recipeKeys(): RecipeKey[] {
  return keysOf(recipeJsonSchema(), "");
}

function keysOf(schema: z.core.JSONSchema.JSONSchema, prefix: string): RecipeKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    if (typeof property === "boolean") return [];
    if (property.properties) return keysOf(property, `${prefix}${name}.`);
    const key: RecipeKey = {
      name: `${prefix}${name}`,
      type: typeOf(property),
      description: property.description ?? "",
    };
    if (property.enum) key.choices = property.enum.map(String);
    if (property.default !== undefined) key.default = property.default;
    return [key];
  });
}

function typeOf(property: z.core.JSONSchema.JSONSchema): RecipeKey["type"] {
  switch (property.type) {
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return "list";
    case "object":
      return "map";
    default:
      return "string";
  }
}

/** @throws ConfigurationError where a recipe trains something else */
export function requireTask(recipe: Recipe, task: "pretrain"): asserts recipe is PreTrainingRecipe;
export function requireTask(recipe: Recipe, task: Recipe["task"]): void;
export function requireTask(recipe: Recipe, task: Recipe["task"]): void {
  if (recipe.task !== task) throw new ConfigurationError(otherTask(recipe, task));
}

/** Says that a recipe trains something else. */
export function otherTask(recipe: Recipe, task: Recipe["task"]): string {
  return `task must be ${task} for this command, but is '${recipe.task}'. Run wav2vec2 ${recipe.task} with this recipe.`;
}

/** Tasks that a key belongs to. */
const OWNERS = {
  pretraining: "pretrain",
  gradient_scaling: "pretrain",
  ctc_loss_reduction: "finetune",
} as const satisfies Partial<Record<keyof Recipe, Recipe["task"]>>;

/** The one task that knows a key, such as `pretraining.padding`; undefined where all do. */
export function taskOf(key: string): Recipe["task"] | undefined {
  const [first = ""] = key.split(".");
  return (OWNERS as Partial<Record<string, Recipe["task"]>>)[first];
}

/** Schedules that a key belongs to. */
const SCHEDULE_KEYS: [keyof Recipe["schedule"], Recipe["schedule"]["name"][]][] = [
  ["hold_steps", ["tri_stage"]],
  ["decay_steps", ["tri_stage"]],
  ["final_scale", ["tri_stage", "polynomial"]],
  ["power", ["polynomial"]],
  ["num_cycles", ["cosine_with_restarts"]],
];

/** Rules that concern several keys. */
function checkTogether(recipe: Recipe): RecipeIssue[] {
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
  for (const key of Object.keys(OWNERS) as (keyof typeof OWNERS)[]) {
    if (OWNERS[key] === task || recipe[key] === undefined) continue;
    const message = `${key} belongs to the task ${OWNERS[key]}, but task is '${task}'. Remove one of them.`;
    issues.push({ path: [key], message });
  }
  if (pretraining && pretraining.min_gumbel_temperature > pretraining.max_gumbel_temperature) {
    const { min_gumbel_temperature: min, max_gumbel_temperature: max } = pretraining;
    issues.push({
      path: ["pretraining", "min_gumbel_temperature"],
      message: `pretraining.min_gumbel_temperature must be at most max_gumbel_temperature (${max}), but is ${min}.`,
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

function explain(issue: z.core.$ZodIssue, values: unknown): RecipeIssue[] {
  const name = issue.path.join(".") || "A recipe";
  const path = [...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: unknownKey([...path, key].join("."), key),
    }));
  }
  if (issue.input === undefined && !hasPath(values, path)) {
    const hint = name === "data.root" ? " Pass --data DIR or write it into the recipe." : "";
    return [{ path, message: `${name} must be given, but is missing.${hint}` }];
  }
  const given = show(issue.input);
  switch (issue.code) {
    case "invalid_type":
      return [{ path, message: `${name} must be ${article(issue.expected)}, but is ${given}.` }];
    case "invalid_value": {
      const choices = issue.values.map(String);
      const guess = typeof issue.input === "string" ? nearest(issue.input, choices) : undefined;
      const hint = guess === undefined ? "" : ` Did you mean '${guess}'?`;
      return [{ path, message: `${name} must be ${choices.join(" or ")}, but is ${given}.${hint}` }];
    }
    case "too_small":
      if (issue.origin === "array") break;
      return [
        {
          path,
          message: `${name} must be ${issue.inclusive ? "at least" : "more than"} ${issue.minimum}, but is ${given}.`,
        },
      ];
    case "too_big":
      if (issue.origin === "array") break;
      return [
        {
          path,
          message: `${name} must be ${issue.inclusive ? "at most" : "less than"} ${issue.maximum}, but is ${given}.`,
        },
      ];
  }
  if (issue.code === "too_small" || issue.code === "too_big") {
    return [{ path, message: `${name} must be a list of two numbers, but is ${given}.` }];
  }
  return [{ path, message: `${name}: ${issue.message}, but is ${given}.` }];
}

function unknownKey(fullName: string, key: string): string {
  const names = recipeKeys().map(({ name }) => name);
  // A known key in the wrong place is a likelier mistake than a misspelt one.
  const moved = names.find((name) => name.split(".").at(-1) === key);
  const guess = moved ?? nearest(fullName, names);
  const where = guess?.slice(0, guess.lastIndexOf(".") + 1);
  const same = where === fullName.slice(0, fullName.lastIndexOf(".") + 1);
  if (guess === undefined) return `unknown key '${key}'. docs/recipes.md lists all keys.`;
  return `unknown key '${key}'. Did you mean '${same ? guess.split(".").at(-1) : guess}'?`;
}

function article(type: string): string {
  switch (type) {
    case "int":
      return "a whole number";
    case "array":
    case "tuple":
      return "a list of two numbers";
    case "object":
    case "record":
      return "a map of keys";
    case "boolean":
      return "true or false";
    default:
      return type === "string" ? "text" : `a ${type}`;
  }
}

function show(value: unknown): string {
  if (typeof value === "string") return `'${value}'`;
  if (typeof value === "number") return String(value);
  return JSON.stringify(value) ?? String(value);
}

function hasPath(values: unknown, path: readonly PropertyKey[]): boolean {
  let value = values;
  for (const key of path) {
    if (!isRecord(value) || !(key in value)) return false;
    value = value[String(key)];
  }
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
