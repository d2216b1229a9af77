import { nn } from "@wav2vec2/libtorch";
import { isObject, type Kind } from "../argument-kinds.js";

/** A `Classifier`: a network with a classification head, and how clips are prepared. */
export const CLASSIFIER: Kind = {
  must: "a classifier in memory, { model, normalize } as loadClassifier gives it",
  holds: isClassifier,
  advice(value) {
    if (typeof value === "string") return `Load it: await loadClassifier(${JSON.stringify(value)}).`;
    if (value instanceof nn.Module) return "Give { model, normalize }.";
    return undefined;
  },
};

function isClassifier(value: unknown): boolean {
  return isObject(value) && value.model instanceof nn.Module && "labels" in value.model;
}
