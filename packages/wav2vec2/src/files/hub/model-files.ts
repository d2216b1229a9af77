import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.js";

/** A file as the Hub lists it. */
export interface HubFile {
  path: string;
  size: number;
  /** Checksum of the contents: SHA-256 for large files, for others git's SHA-1 of a blob. Names the blob in the cache. */
  hash: string;
}

const CONFIGURATION: ReadonlySet<string> = new Set([
  "config.json",
  "preprocessor_config.json",
  "processor_config.json",
  "vocab.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
]);

/** In the order of preference: safetensors are faster to read, and pickles need care. */
export const WEIGHT_FILES = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
] as const;

/** Whether a file belongs to a wav2vec 2.0 model beside its weights. */
export function isConfiguration(path: string): boolean {
  return CONFIGURATION.has(path);
}

/** Whether a directory says which tokens its model gives; those of pre-trained models often do not. */
export function hasTokenizer(directory: string): boolean {
  return ["vocab.json", "tokenizer.json"].some((name) => existsSync(join(directory, name)));
}

/** Whether a directory holds a network as `export` writes it. */
export function isExported(directory: string): boolean {
  const folder = join(directory, "onnx");
  return existsSync(folder) && readdirSync(folder).some((name) => name.endsWith(".onnx"));
}

/** What transformers and transformers.js read of a recogniser besides its weights, as `export` writes it. */
export const TRANSFORMERS_FILES = [
  "config.json",
  "preprocessor_config.json",
  "vocab.json",
  "special_tokens_map.json",
  "tokenizer_config.json",
  "tokenizer.json",
];

/** The one file of weights to take, or the index of its shards. */
export function chooseWeights(has: (path: string) => boolean): string | undefined {
  return WEIGHT_FILES.find(has);
}

/**
 * The file of a language's own weights beside a multilingual model, as facebook/mms-1b-all has them
 * (https://huggingface.co/docs/transformers/model_doc/mms).
 *
 * @throws UserError for what is no code: it becomes a part of a path
 */
export function adapterFileName(language: string): string {
  if (!/^[\w-]+$/.test(language)) {
    throw new UserError(`language must be a code such as eng, but is ${JSON.stringify(language)}.`);
  }
  return `adapter.${language}.safetensors`;
}

/**
 * The one of a language's files to take: safetensors, or the `.bin` that transformers wrote before.
 *
 * @throws UserError as {@link adapterFileName}
 */
export function chooseAdapter(language: string, has: (path: string) => boolean): string | undefined {
  const name = adapterFileName(language);
  return [name, name.replace(/safetensors$/, "bin")].find(has);
}

export function isIndex(path: string): boolean {
  return path.endsWith(".index.json");
}

/**
 * The shards that an index names.
 *
 * @param text the index file's contents @param path its name, for messages
 */
export function shardsOf(text: string, path: string): string[] {
  let map: unknown;
  try {
    map = (JSON.parse(text) as { weight_map?: unknown } | null)?.weight_map;
  } catch (error) {
    throw new UserError(`${path} must be JSON, but is not: ${(error as Error).message}.`, { cause: error });
  }
  const shards = new Set<unknown>(typeof map === "object" && map !== null ? Object.values(map) : []);
  if (shards.size === 0) {
    throw new UserError(`${path} must have a weight_map from tensors to files, but has none.`);
  }
  return [...shards].map((shard) => {
    // A name with a slash could leave the directory.
    if (typeof shard === "string" && /^\w[\w.-]*$/.test(shard)) return shard;
    throw new UserError(`${path} must name files beside it, but names ${JSON.stringify(shard)}.`);
  });
}
