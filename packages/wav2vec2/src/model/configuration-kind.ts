import { isObject, type Kind } from "../argument-kinds.js";

/** A configuration with all its fields, or what is needed of one; that each is right, `createConfig` and `readConfig` see to. */
export const CONFIG: Kind = {
  must: "a configuration",
  holds: (value) => isObject(value) && Array.isArray(value.convKernel) && Array.isArray(value.convStride),
  advice(value) {
    if (typeof value === "string") return "Read it: await readConfig(directory).";
    if (isObject(value) && isObject(value.config)) return "Give its config.";
    return "Make one with createConfig({ … }).";
  },
};
