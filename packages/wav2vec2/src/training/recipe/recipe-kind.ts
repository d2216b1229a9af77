import { isObject, type Kind } from "../../argument-kinds.js";

/** What a recipe is made of. */
export const RECIPE_VALUES: Kind = {
  must: "an object of a recipe's keys",
  holds: (value) =>
    isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value) as object | null),
  advice: (value) =>
    typeof value === "string" ? `Read it: loadRecipe(${JSON.stringify(value)}).` : undefined,
};

/** A recipe with its defaults: `resolveRecipe` and `loadRecipe` make one. */
export const RECIPE: Kind = {
  must: "a recipe",
  holds: (value) =>
    isObject(value) &&
    typeof value.task === "string" &&
    [value.data, value.optimizer, value.schedule].every(isObject),
  advice(value) {
    if (typeof value === "string") return `Read it: loadRecipe(${JSON.stringify(value)}).`;
    return isObject(value)
      ? "Fill in its defaults: resolveRecipe({ … })."
      : "Make one: resolveRecipe({ … }).";
  },
};
