import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { stateName } from "@wav2vec2/libtorch/state-name";
import { PATH, requireArguments, TEXTS } from "../argument-kinds.js";
import { ConfigurationError } from "../errors.js";
import { writeFileAtomic } from "../files/atomic/atomic-file.js";
import { unreadable } from "../files/unreadable.js";
import { DEFAULT_CONFIG, type Wav2Vec2Config } from "./configuration.js";
import { configFromHuggingFace, requireObject } from "./configuration-json.js";
import { CONFIG } from "./configuration-kind.js";
import { idsByLabel, labelsById } from "./configuration-labels.js";
import { CONFIG_FIELDS, checkConfig, FLOAT_FIELDS, SPARSE_FIELDS } from "./configuration-rules.js";
import { classOfType, ownClass } from "./model-type.js";

export { CONFIG_KEYS, configFromHuggingFace, configWithKeys } from "./configuration-json.js";

const FILE_NAME = "config.json";

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
