import { autocast } from "@wav2vec2/libtorch";
import type { Recipe } from "../recipe/recipe.js";

/** Does `body` with matrix products and convolutions in the recipe's number format. */
export function withPrecision<T>({ precision }: Recipe, body: () => T): T {
  return precision === "float32" ? body() : autocast({ dtype: precision }, body);
}
