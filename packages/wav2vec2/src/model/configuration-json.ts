import { stateName } from "@wav2vec2/libtorch/state-name";
import { ConfigurationError } from "../errors.js";
import { completeConfig, defaultsOf, type Wav2Vec2Config } from "./configuration.js";
import { takeLabels } from "./configuration-labels.js";
import { CONFIG_FIELDS } from "./configuration-rules.js";
import { differenceOf, isModelType, MODEL_TYPES } from "./model-type.js";

/** The keys of `config.json` that mean something here. */
export const CONFIG_KEYS: readonly string[] = CONFIG_FIELDS.map(stateName);

/**
 * Not kept when a configuration is read, because what is written later decides them: the heads, the length of `conv_dim`
 * under another name, and the number format of the weights beside it.
 */
const REWRITTEN_KEYS = ["architectures", "num_feat_extract_layers", "dtype", "torch_dtype"];

/**
 * A configuration from the contents of Hugging Face's `config.json`; keys left out have its defaults, unknown ones
 * go to `extra`.
 * @param source the file, for messages
 * @throws {ConfigurationError} for a network that computes otherwise than wav2vec 2.0 and for values that are wrong
 */
export function configFromHuggingFace(json: unknown, source: string): Wav2Vec2Config {
  const object = requireObject(json, source);
  const { model_type: modelType } = object;
  if (!isModelType(modelType)) throw otherModel(modelType, source);
  const { known, unknown } = split(object, source);
  const extra = Object.fromEntries(Object.entries(unknown).filter(([key]) => !REWRITTEN_KEYS.includes(key)));
  return completeConfig({ ...known, extra }, defaultsOf(modelType), source);
}

function otherModel(modelType: unknown, source: string): ConfigurationError {
  const types = MODEL_TYPES.map((type) => `"${type}"`);
  const difference = differenceOf(modelType);
  return new ConfigurationError(
    `${source}: model_type must be ${types.slice(0, -1).join(", ")} or ${types.at(-1)}, but is ` +
      `${JSON.stringify(modelType) ?? "missing"}${difference === undefined ? "" : `, ${difference}`}. ` +
      "Give the directory of a model whose network is wav2vec 2.0's.",
  );
}

/**
 * `base` with values under Hugging Face's keys, such as a recipe's `model`.
 * @throws {ConfigurationError} for a key that nothing here reads, and for values that are wrong
 */
export function configWithKeys(base: Wav2Vec2Config, json: unknown, source: string): Wav2Vec2Config {
  const { known, unknown } = split(requireObject(json, source), source);
  const names = Object.keys(unknown);
  if (names.length > 0) {
    throw new ConfigurationError(
      `${source}: ${names.join(", ")} must be ${names.length > 1 ? "keys" : "a key"} of the model configuration, ` +
        `but ${names.length > 1 ? "are" : "is"} not. The keys are ${CONFIG_KEYS.join(", ")}.`,
    );
  }
  return completeConfig(known, base, source);
}

function split(object: Record<string, unknown>, source: string) {
  const known: Record<string, unknown> = {};
  const unknown = new Map(Object.entries(object));
  const labels = takeLabels(unknown, source);
  for (const field of CONFIG_FIELDS) {
    const key = stateName(field);
    if (!unknown.has(key)) continue;
    known[field] = unknown.get(key);
    unknown.delete(key);
  }
  if (labels) known.id2label = labels;
  return { known, unknown: Object.fromEntries(unknown) };
}

export function requireObject(json: unknown, source: string): Record<string, unknown> {
  if (typeof json === "object" && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  const kind = Array.isArray(json) ? "a list" : json === null ? "null" : typeof json;
  throw new ConfigurationError(`${source} must be an object, but is ${kind}.`);
}
