import { isObject, type Kind } from "../argument-kinds.js";

/** Where a run reports to: an object with some of a `Tracker`'s methods. */
export const SINK: Kind = {
  must: "an object of methods such as log(metrics, step)",
  holds: (value) => isObject(value) && !Array.isArray(value),
  advice(value) {
    if (Array.isArray(value)) return "Join several: combineTrackers([…]).";
    if (typeof value === "function") return "Give { log: … }.";
    return typeof value === "string"
      ? "Services are named by the recipe's tracking, or --tracking."
      : undefined;
  },
};
