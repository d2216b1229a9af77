import { isObject, type Kind } from "../../argument-kinds.js";

/** A `LanguageModel`. */
export const LANGUAGE_MODEL: Kind = {
  must: "a language model that is loaded",
  holds: (value) => isObject(value) && typeof value.score === "function",
  advice: (value) =>
    typeof value === "string" ? `Load it: await loadLanguageModel(${JSON.stringify(value)}).` : undefined,
};
