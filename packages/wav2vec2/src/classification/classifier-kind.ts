import { isObject, type Kind, orName } from "../argument-kinds.js";
import { describeType } from "../describe-type.js";
import { isClassificationModel } from "../model/heads/classification-task.js";

/** A `Classifier`: a network with a classification head, and how clips are prepared. */
export const CLASSIFIER: Kind = {
  must: "{ model, normalize } with a classification head",
  holds: (value) =>
    isObject(value) && isClassificationModel(value.model) && typeof value.normalize === "boolean",
  advice(value) {
    if (typeof value === "string") return `Load it: await loadClassifier(${JSON.stringify(value)}).`;
    if (isClassificationModel(value)) return "Put its normalize beside it.";
    const inner = isObject(value) && value.model ? `Its model is ${describeType(value.model)}. ` : "";
    return `${inner}Give await loadClassifier(directory), or the field classifier of what trainClassifier returns.`;
  },
};

export const CLASSIFIER_OR_NAME: Kind = orName(CLASSIFIER);
