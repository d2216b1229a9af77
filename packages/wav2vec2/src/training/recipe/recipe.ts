import { requireArguments } from "../../argument-kinds.js";
import { ConfigurationError } from "../../errors.js";
import { isJsonObject } from "../../files/json-file.js";
import { RECIPE_VALUES } from "./recipe-kind.js";
import { explain } from "./recipe-mistakes.js";
import { checkTogether, type RecipeIssue } from "./recipe-rules.js";
import { recipeSchema } from "./recipe-schema.js";
import type { Recipe, RecipeInput } from "./recipe-types.js";

export type { PreTrainingRecipe, Recipe, RecipeInput } from "./recipe-types.js";

export type RecipeResult = { recipe: Recipe; issues?: never } | { recipe?: never; issues: RecipeIssue[] };

/** Fills in defaults and checks every key of `values`; all mistakes come back together. */
export function parseRecipe(values: unknown): RecipeResult {
  const result = recipeSchema().safeParse(withTaskDefaults(values), { reportInput: true });
  if (!result.success) return { issues: result.error.issues.flatMap((issue) => explain(issue, values)) };
  const issues = checkTogether(result.data);
  return issues.length > 0 ? { issues } : { recipe: result.data };
}

const MAX_STEPS = 5000;
const WARMUP_STEPS = 500;

/** Defaults that depend on other keys. */
function withTaskDefaults(values: unknown): unknown {
  if (!isJsonObject(values)) return values;
  const task = values.task ?? "finetune";
  const defaults: Record<string, unknown> = { output: `runs/${String(task)}` };
  if (task === "pretrain") Object.assign(defaults, { pretraining: {}, gradient_scaling: "once" });
  if (task === "finetune") defaults.ctc_loss_reduction = "mean";
  if (task !== "pretrain" && values.init !== undefined) defaults.freeze_feature_encoder = true;
  if (values.max_steps === undefined && values.max_epochs === undefined) defaults.max_steps = MAX_STEPS;
  const filled: Record<string, unknown> = { ...defaults };
  for (const [key, value] of Object.entries(values)) if (value !== undefined) filled[key] = value;
  const { schedule = {} } = values;
  if (isJsonObject(schedule) && schedule.warmup_steps === undefined && schedule.warmup_ratio === undefined)
    return { ...filled, schedule: { ...schedule, warmup_steps: WARMUP_STEPS } };
  return filled;
}

/**
 * A recipe made in code, with defaults filled in.
 * @throws ConfigurationError with a line for each wrong key.
 */
export function resolveRecipe(values: RecipeInput): Recipe {
  requireArguments("resolveRecipe", { values: [values, RECIPE_VALUES] });
  const { recipe, issues } = parseRecipe(values);
  if (recipe) return recipe;
  throw new ConfigurationError(issues.map(({ message }) => message).join("\n"));
}
