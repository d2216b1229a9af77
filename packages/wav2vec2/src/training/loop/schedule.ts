import { FINITE, isObject, type Kind, requireArguments } from "../../argument-kinds.js";
import type { Recipe } from "../recipe/recipe.js";

const SCHEDULE: Kind = {
  must: "a recipe's schedule",
  holds: (value) => isObject(value) && typeof value.name === "string",
  advice: () => "Give resolveRecipe({ … }).schedule.",
};

/**
 * The share of the highest learning rate at a step (0 is the first): a linear rise over `warmup_steps`, then what
 * `schedule.name` says. tri_stage is fairseq's: hold, then exponential decay to `final_scale`. The others are
 * `transformers.optimization`'s.
 */
export function learningRateScale(step: number, schedule: Recipe["schedule"], maxSteps: number): number {
  requireArguments("learningRateScale", {
    step: [step, FINITE],
    schedule: [schedule, SCHEDULE],
    maxSteps: [maxSteps, FINITE],
  });
  const { name } = schedule;
  const warmup = warmupSteps(schedule, maxSteps);
  if (step < warmup) return (step + 1) / (warmup + 1);
  const progress = Math.min(1, (step - warmup) / Math.max(1, maxSteps - warmup));
  switch (name) {
    case "constant":
      return 1;
    case "linear":
      return 1 - progress;
    case "polynomial": {
      const final = schedule.final_scale ?? 0;
      return final + (1 - final) * (1 - progress) ** (schedule.power ?? 1);
    }
    case "cosine":
      return halfCosine(progress);
    case "cosine_with_restarts":
      return progress === 1 ? 0 : halfCosine((progress * (schedule.num_cycles ?? 1)) % 1);
    case "tri_stage": {
      const hold = schedule.hold_steps ?? Math.round(0.4 * maxSteps);
      const decay = schedule.decay_steps ?? Math.max(1, maxSteps - warmup - hold);
      const final = schedule.final_scale ?? 0.05;
      const decayed = Math.min(1, Math.max(0, (step - warmup - hold) / decay));
      return final ** decayed;
    }
  }
}

/** Steps over which the learning rate rises; a share of the steps is rounded up, as in Hugging Face's trainer. */
export function warmupSteps(
  { warmup_steps: steps = 0, warmup_ratio: ratio }: Pick<Recipe["schedule"], "warmup_steps" | "warmup_ratio">,
  maxSteps: number,
): number {
  return ratio === undefined ? steps : Math.ceil(ratio * maxSteps);
}

/** From 1 to 0. */
function halfCosine(progress: number): number {
  return (1 + Math.cos(Math.PI * progress)) / 2;
}
