import { autocast, type Device } from "@wav2vec2/libtorch";
import { FUNCTION, OBJECT, requireArguments, TEXT } from "../../argument-kinds.js";
import type { Recipe } from "../recipe/recipe.js";

/** Does `body` with matrix products and convolutions in the recipe's number format, on the device that computes. */
export function withPrecision<T>(recipe: Recipe, device: Device, body: () => T): T {
  requireArguments("withPrecision", {
    recipe: [recipe, OBJECT],
    device: [device, TEXT],
    body: [body, FUNCTION],
  });
  const { precision } = recipe;
  return precision === "float32" ? body() : autocast({ device, dtype: precision }, body);
}
