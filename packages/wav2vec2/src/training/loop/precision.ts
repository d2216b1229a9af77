import type { Device } from "@wav2vec2/libtorch";
import { FUNCTION, OBJECT, requireArguments, TEXT } from "../../argument-kinds.js";
import { computeIn } from "../../precision/compute-in.js";
import type { Precision } from "../../precision/precision-names.js";
import type { Recipe } from "../recipe/recipe.js";

/** The recipe's number format. A run has resolved `auto`; where nothing has, it is float32. */
export function precisionOf({ precision }: Pick<Recipe, "precision">): Precision {
  return precision === "auto" ? "float32" : precision;
}

/**
 * Does `body` with matrix products and convolutions in the recipe's number format, on the device that computes; `auto`, which
 * runs resolve, is float32.
 */
export function withPrecision<T>(recipe: Recipe, device: Device, body: () => T): T {
  requireArguments("withPrecision", {
    recipe: [recipe, OBJECT],
    device: [device, TEXT],
    body: [body, FUNCTION],
  });
  return computeIn(precisionOf(recipe), device, body);
}
