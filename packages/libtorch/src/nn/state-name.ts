import { describe } from "../describe.js";
import { argumentError } from "../errors.js";

/**
 * `hiddenSize` to `hidden_size`; `original0` and `linear_1` stay. The one rule between field names here and
 * PyTorch's and Hugging Face's keys, of parameters and configurations alike.
 */
export function stateName(field: string): string {
  if (typeof field !== "string")
    throw argumentError("stateName", `'field' must be a string, but is ${describe(field)}`);
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
