import type { nn } from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";

/** The network in a module, and what stands before its keys there, such as `wav2vec2.`; nothing where it is the module. */
export interface Backbone {
  model: Wav2Vec2Model;
  prefix: string;
}

/** The first network that a module is or has in one of its fields, however deep; undefined where it has none. */
export function findBackbone(module: nn.Module, prefix = ""): Backbone | undefined {
  if (module instanceof Wav2Vec2Model) return { model: module, prefix };
  for (const [name, child] of module.namedChildren()) {
    const found = findBackbone(child, `${prefix}${name}.`);
    if (found) return found;
  }
  return undefined;
}

/** @throws UserError where a module has no network */
export function requireBackbone(module: nn.Module): Backbone {
  const found = findBackbone(module);
  if (found) return found;
  throw new UserError(
    `${module.constructor.name || "The model class"} must have a Wav2Vec2Model in one of its fields, but has none. Make one in its ` +
      "constructor: this.wav2vec2 = new Wav2Vec2Model(config).",
  );
}
