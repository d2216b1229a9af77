import { isObject, type Kind } from "../argument-kinds.js";

/** A `CtcTokenizer`. */
export const TOKENIZER: Kind = {
  must: "a CtcTokenizer",
  holds: isTokenizer,
  advice(value) {
    if (isObject(value) && isTokenizer(value.tokenizer)) return "Give its tokenizer.";
    return typeof value === "string"
      ? `Read it: await CtcTokenizer.read(${JSON.stringify(value)}).`
      : undefined;
  },
};

function isTokenizer(value: unknown): boolean {
  return isObject(value) && typeof value.decode === "function" && isObject(value.vocabulary);
}
