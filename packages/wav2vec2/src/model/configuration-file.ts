import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { stateName } from "@wav2vec2/libtorch/state-name";
import { PATH, requireArguments, TEXTS } from "../argument-kinds.js";
import { ConfigurationError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic-file.js";
import { unreadable } from "../files/unreadable.js";
import { completeConfig, DEFAULT_CONFIG, defaultsOf, type Wav2Vec2Config } from "./configuration.js";
import { CONFIG } from "./configuration-kind.js";
import { idsByLabel, labelsById, takeLabels } from "./configuration-labels.js";
import { CONFIG_FIELDS, checkConfig, FLOAT_FIELDS, SPARSE_FIELDS } from "./configuration-rules.js";
import { classOfType, differenceOf, isModelType, MODEL_TYPES, ownClass } from "./model-type.js";

const FILE_NAME = "config.json";

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

/**
 * The contents of a `config.json`, keys sorted as Hugging Face sorts them.
 * @param architectures the model class that the weights beside it are of, for example `["Wav2Vec2ForCTC"]`; written under
 * the name that it has for the configuration's type, `HubertForCTC`
 */
export function configToHuggingFace(
  config: Wav2Vec2Config,
  architectures: readonly string[],
): Record<string, unknown> {
  checkConfig({ ...config }, "The model configuration");
  const written = CONFIG_FIELDS.filter(
    (field) => !SPARSE_FIELDS.includes(field) || !isDeepStrictEqual(config[field], DEFAULT_CONFIG[field]),
  );
  const { id2label } = config;
  const labels: [string, unknown][] = written.includes("id2label")
    ? [
        ["id2label", labelsById(id2label)],
        ["label2id", idsByLabel(id2label)],
      ]
    : [];
  const entries: [string, unknown][] = [
    ...Object.entries(config.extra),
    ...written.map((field): [string, unknown] => [stateName(field), config[field]]),
    ...labels,
    ["architectures", architectures.map((name) => classOfType(name, config.modelType))],
    ["num_feat_extract_layers", config.convDim.length],
  ];
  return Object.fromEntries([...new Map(entries)].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What to give instead of a directory that is no model: those in a run directory, where it is one. */
function modelIn(directory: string): string {
  const models = ["best", "final"]
    .map((name) => join(directory, name))
    .filter((inner) => existsSync(join(inner, FILE_NAME)));
  return models.length === 0 ? "Give a model directory." : `Give the model in it: ${models.join(" or ")}.`;
}

/** @throws {ConfigurationError} if there is no readable `config.json` of a model with this network in `directory` */
export async function readConfig(directory: string): Promise<Wav2Vec2Config> {
  requireArguments("readConfig", { directory: [directory, PATH] });
  return configFromHuggingFace(await readJson(directory), join(directory, FILE_NAME));
}

/**
 * The model classes that a directory's weights are of, as its `config.json` names them, but with wav2vec 2.0's names for
 * those of other types; none where it does not say.
 * @throws {ConfigurationError} if there is no readable `config.json` in `directory`
 */
export async function readArchitectures(directory: string): Promise<readonly string[]> {
  const { architectures } = requireObject(await readJson(directory), join(directory, FILE_NAME));
  return Array.isArray(architectures) ? architectures.map((name) => ownClass(String(name))) : [];
}

async function readJson(directory: string): Promise<unknown> {
  const path = join(directory, FILE_NAME);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new ConfigurationError(
      `${unreadable(path, "a readable file", cause).message} ${modelIn(directory)}`,
      {
        cause,
      },
    );
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ConfigurationError(`${path} must be JSON, but is not: ${(cause as Error).message}`, { cause });
  }
}

/** Writes `config.json` into `directory`, which must exist: complete, or as it was before. */
export async function writeConfig(
  directory: string,
  config: Wav2Vec2Config,
  architectures: readonly string[],
): Promise<void> {
  requireArguments("writeConfig", {
    directory: [directory, PATH],
    config: [config, CONFIG],
    architectures: [architectures, TEXTS],
  });
  await writeFileAtomic(join(directory, FILE_NAME), serialize(configToHuggingFace(config, architectures)));
}

function serialize(json: Record<string, unknown>): string {
  const floats = FLOAT_FIELDS.map(stateName).join("|");
  // Two spaces deep is the outermost object; deeper keys of the same name are someone else's.
  const whole = new RegExp(`^( {2}"(?:${floats})": -?[0-9]+)(,?)$`, "gm");
  return `${JSON.stringify(json, null, 2).replace(whole, "$1.0$2")}\n`;
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

function requireObject(json: unknown, source: string): Record<string, unknown> {
  if (typeof json === "object" && json !== null && !Array.isArray(json))
    return json as Record<string, unknown>;
  const kind = Array.isArray(json) ? "a list" : json === null ? "null" : typeof json;
  throw new ConfigurationError(`${source} must be an object, but is ${kind}.`);
}
