import { checkString } from "../arguments.js";

/**
 * `hiddenSize` to `hidden_size`; `original0` and `linear_1` stay. The one rule between field names here and
 * PyTorch's and Hugging Face's keys, of parameters and configurations alike.
 */
export function stateName(field: string): string {
  checkString("stateName", "field", field);
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
