import { autocast, type Device } from "@wav2vec2/libtorch";
import type { Recipe } from "../recipe/recipe.js";

/** Does `body` with matrix products and convolutions in the recipe's number format, on the device that computes. */
export function withPrecision<T>({ precision }: Recipe, device: Device, body: () => T): T {
  return precision === "float32" ? body() : autocast({ device, dtype: precision }, body);
}
