import { isTensor, nn } from "@wav2vec2/libtorch";
import type { Kind } from "./argument-kinds.js";

export const TENSOR: Kind = {
  must: "a Tensor",
  holds: isTensor,
  advice: () => "Make one with tensor(values, shape).",
};

export const MODULE: Kind = {
  must: "an nn.Module",
  holds: (value) => value instanceof nn.Module,
  advice(value) {
    if (typeof value === "function") return "Give an instance of it.";
    const inner = typeof value === "object" && value !== null && "model" in value ? value.model : undefined;
    return inner instanceof nn.Module ? "Give its model." : undefined;
  },
};

/** Made from a configuration. */
export const MODULE_CLASS: Kind = {
  must: "a class of modules",
  holds: (value) => typeof value === "function" && value.prototype instanceof nn.Module,
  advice: () => "Give the class itself, such as Wav2Vec2Model.",
};
