import { ConfigurationError, UserError } from "../../errors.js";
import type { Progress } from "../checkpoints/checkpoint.js";
import type { Recipe } from "../recipe/recipe.js";
import type { Task, Validation } from "./task.js";

/** What the best model is chosen by. */
export interface Criterion {
  /** In words, with its direction; undefined where a validation says it itself and lower is better. */
  by: string | undefined;
  /** @throws UserError where there is none, or it is no number */
  valueOf(validation: Validation, step: number): number;
  /** Whether a value is better than the best so far by more than a threshold; what is infinitely bad never is. */
  isBetter(value: number, best: Progress["best"], threshold?: number): boolean;
}

/** Metrics that are better where they are greater: what the tasks here validate by, and what people call their own. */
const GREATER = /(^|_)(accuracy|f1|precision|recall|confidence|perplexity)$/;

/** That of a task, else that of the recipe, else what the task's validation says. */
export function criterionOf(
  { criterion: own, greaterIsBetter: isGreater }: Pick<Task, "criterion" | "greaterIsBetter">,
  { metric_for_best_model: metric, greater_is_better: greater }: Partial<Recipe> = {},
): Criterion {
  const chosen = own ?? (metric === undefined ? undefined : metric.replace(/^eval[_/]/, ""));
  const greaterIsBetter =
    isGreater ??
    (own === undefined ? greater : undefined) ??
    (typeof chosen === "string" && GREATER.test(chosen));
  const sign = greaterIsBetter ? -1 : 1;
  return {
    by: named(chosen, greaterIsBetter),
    valueOf(validation, step) {
      const value = chosen === undefined ? validation.criterion : valueBy(chosen, validation.metrics, step);
      if (typeof value === "number" && !Number.isNaN(value)) return value;
      const found = value === undefined ? "there is none" : `it is ${String(value)}`;
      throw new UserError(
        `The criterion of the best model must be a number at every validation, but ${found} at step ${step}. Let evaluate ` +
          "return { metrics, criterion }, or give the task a criterion.",
      );
    },
    isBetter(value, best, threshold = 0) {
      const before = best ? sign * best.value : Number.POSITIVE_INFINITY;
      return sign * value < before - threshold;
    },
  };
}

function named(chosen: Task["criterion"], greaterIsBetter: boolean): string | undefined {
  const name = typeof chosen === "function" ? "a function of the metrics" : chosen;
  return greaterIsBetter ? `${name ?? "the validation's own criterion"} (greater is better)` : name;
}

function valueBy(
  chosen: NonNullable<Task["criterion"]>,
  metrics: Readonly<Record<string, number>>,
  step: number,
): unknown {
  if (typeof chosen === "function") return chosen(metrics);
  if (Object.hasOwn(metrics, chosen)) return metrics[chosen];
  throw new ConfigurationError(
    `The criterion of the best model must be a metric of the validation, but the one of step ${step} has no '${chosen}'. Its ` +
      `metrics are ${Object.keys(metrics).join(", ")}.`,
  );
}
