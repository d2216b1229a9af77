import { nn } from "@wav2vec2/libtorch";
import { isObject, type Kind, orName } from "../argument-kinds.js";

/** A `CtcModel`: a network with an output layer for characters, its tokenizer, and how clips are prepared. */
export const CTC_MODEL: Kind = {
  must: "a recogniser in memory, { model, tokenizer, normalize } as loadCtcModel gives it",
  holds: isCtcModel,
  advice(value) {
    if (typeof value === "string") return `Load it: await loadCtcModel(${JSON.stringify(value)}).`;
    if (value instanceof nn.Module) return "Put its tokenizer and normalize beside it.";
    if (isObject(value) && isCtcModel(value.ctc)) return "Give its ctc.";
    return undefined;
  },
};

export const CTC_MODEL_OR_NAME: Kind = orName(CTC_MODEL);

export function isCtcModel(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { model, tokenizer } = value;
  return model instanceof nn.Module && isObject(tokenizer) && typeof tokenizer.encode === "function";
}
