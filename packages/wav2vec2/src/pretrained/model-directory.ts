import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  nn,
  releaseMemory,
  type StateMismatch,
  saveTensors,
  scope,
  type Tensor,
  type TensorSource,
} from "@wav2vec2/libtorch";
import {
  BOOLEAN,
  choice,
  FUNCTION,
  type Kind,
  OBJECT,
  PATH,
  requireArguments,
  requireKind,
  TEXT,
} from "../argument-kinds.js";
import { resolveDevice } from "../device.js";
import { UserError, withCode } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic/atomic-directory.js";
import { type DownloadProgress, type ResolveOptions, resolveModel } from "../files/hub/hub.js";
import { tellNote } from "../files/tell-note.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { createConfig, type Wav2Vec2Config } from "../model/configuration.js";
import { readConfig, writeConfig } from "../model/configuration-file.js";
import { CONFIG } from "../model/configuration-kind.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { ATTENTION_ADAPTER } from "../model/heads/model-with-head.js";
import { keyOfType } from "../model/model-type.js";
import { MODULE, MODULE_CLASS } from "../module-kinds.js";
import type { WantedPrecision } from "../precision/precision-names.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { findBackbone, requireBackbone } from "./backbone.js";
import { writeLanguageFiles } from "./language-files.js";
import { writePreprocessor } from "./preprocessor.js";
import { listNames, requireComplete } from "./state-mismatch.js";
import { loadWeights, modelClassOf, weightsPath, withTensors } from "./weights.js";

/** For a model that is named by its Hub id. */
export interface HubOptions {
  /** Branch, tag or commit; `main` when left out. */
  revision?: string | undefined;
  signal?: AbortSignal | undefined;
  /** How far the download is. */
  onDownload?: ((progress: DownloadProgress) => void) | undefined;
  /** Gets what the user should know; goes to stderr when left out. */
  onNote?: ((text: string) => void) | undefined;
}

/** Where a model is to compute. */
export interface DeviceOption {
  /** `auto`, `cpu`, `cuda`, `cuda:N` or `mps`: see `resolveDevice`. */
  device?: string | undefined;
}

/** How a model is to compute when it recognises. */
export interface PrecisionOption {
  /**
   * Number format of matrix products and convolutions: `float32`, `bfloat16`, `float16`, or `auto`, which takes bfloat16 where that is
   * measured to be faster. Default: float32
   */
  precision?: WantedPrecision | undefined;
}

/**
 * When what is outside the backbone starts from random weights: where the directory has none for it, where it has none of
 * its shape (`where different`, with a note that names it), always, or never, which refuses a directory without it. Default:
 * where missing, with a note that names it; but a CTC head and the heads of pre-training must be there
 */
export type NewHead = "where missing" | "where different" | "always" | "never";

const NEW_HEADS: readonly NewHead[] = ["where missing", "where different", "always", "never"];
export const NEW_HEAD: Kind = choice(...NEW_HEADS);

export interface LoadOptions extends HubOptions, DeviceOption {
  /** What differs from `config.json`, such as dropouts for further training: some keys, or a function of it all. */
  config?: Partial<Wav2Vec2Config> | ((config: Wav2Vec2Config) => Wav2Vec2Config) | undefined;
  newHead?: NewHead | undefined;
  /** Start attention adapters from random weights, whether the directory has some or not. */
  newAdapters?: boolean | undefined;
}

export const HUB_OPTIONS = {
  revision: TEXT,
  signal: true,
  onDownload: true,
  onNote: true,
} satisfies KnownOptions<HubOptions>;

/** The same as `resolveModel` names it. */
export function hubRequest({ revision, signal, onDownload, onNote }: HubOptions): ResolveOptions {
  return { revision, signal, onProgress: onDownload, onNote };
}

/** Without what `loadModel` alone has. */
export const PRETRAINED_OPTIONS = {
  ...HUB_OPTIONS,
  device: TEXT,
  config: {
    must: "an object or a function of the configuration",
    holds: (value) => FUNCTION.holds(value) || OBJECT.holds(value),
  },
  newAdapters: BOOLEAN,
} satisfies KnownOptions<Omit<LoadOptions, "newHead">>;

const LOAD_OPTIONS = {
  ...PRETRAINED_OPTIONS,
  newHead: NEW_HEAD,
} satisfies KnownOptions<LoadOptions>;

/** Parameters that a checkpoint need not have: only a model that masks in training uses the vector. */
const OPTIONAL = /(^|\.)masked_spec_embed$/;

/** Heads that are no use before they have learned: a model without them is another one than was meant. */
const LEARNED_HEAD = /^(lm_head|quantizer|project_q|project_hid)\./;

/**
 * Loads a directory in Hugging Face's layout (`config.json` and weights), or a model of the Hub, as any class that is made
 * from a configuration and has a `Wav2Vec2Model` in one of its fields, or is one: `loadModel(Wav2Vec2Model,
 * "facebook/wav2vec2-base")`. The directory may be of another class: its backbone is taken, and of the rest what has the
 * class's own keys. The model is on the CPU unless `device` says otherwise, and in evaluation as `from_pretrained` gives it: a loop
 * of one's own calls `train()`.
 *
 * @throws ConfigurationError where there is no such device
 * @throws UserError where there is no such model, naming the file that is missing or corrupt, or every parameter of the
 * backbone that the file has no values for
 */
export async function loadModel<Model extends nn.Module>(
  modelClass: new (config: Wav2Vec2Config) => Model,
  nameOrDirectory: string,
  options: LoadOptions = {},
): Promise<Model> {
  requireArguments("loadModel", { modelClass: [modelClass, MODULE_CLASS] });
  requireOptions("loadModel", options, LOAD_OPTIONS);
  const { config: change = {}, newHead, newAdapters = false, device: wanted = "cpu", ...hub } = options;
  const device = resolveDevice(wanted);
  const directory = await resolveModel(nameOrDirectory, hubRequest(hub));
  return await withCode("ERR_MODEL_INVALID", async () => {
    const base = await readConfig(directory);
    const config = typeof change === "function" ? change(base) : createConfig(change, base);
    const path = weightsPath(directory);
    return await withTensors(path, async (source) => {
      requireRoom(directory, config, source);
      // In a scope, which lets go at once of what parameters are made of.
      const model = scope(() => nn.init.deferred(() => new modelClass(config)));
      const backbone = requireBackbone(model);
      const mismatch = await loadWeights(model, backbone, source, {
        heads: newHead !== "always",
        adapters: !newAdapters,
      });
      const isOfHead = (name: string) => !name.startsWith(backbone.prefix);
      const isNew = (name: string) =>
        isOfHead(name) && newHead !== "never" && (newHead !== undefined || !LEARNED_HEAD.test(name));
      const isOptional = (name: string) =>
        OPTIONAL.test(name) || isNew(name) || (newAdapters && ATTENTION_ADAPTER.test(name));
      const isReplaced = (name: string) => newHead === "where different" && isOfHead(name);
      tellNote(hub, requireComplete(path, tolerated(mismatch, isOptional, isReplaced)));
      const replaced = mismatch.misshaped.map(({ name }) => name).filter(isReplaced);
      const begun = [...mismatch.missing.filter(isNew), ...replaced];
      if (!newHead || newHead === "where different") tellNote(hub, newParameters(path, begun));
      if (device !== "cpu") model.to({ device });
      releaseMemory(); // of parameters that others replaced: as much again, of which a cache would keep the sizes
      return model.eval();
    });
  });
}

function newParameters(path: string, names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `${path} has no values for what begins with random ones, to be trained: ${listNames(names)}.`;
}

/** A layer has 16 tensors: a typing error in config.json must not build a billion of them first. */
function requireRoom(directory: string, { numHiddenLayers }: Wav2Vec2Config, source: TensorSource): void {
  const { path, entries } = source;
  const tensors = entries.size;
  if (numHiddenLayers * 16 <= 10 * tensors + 1600) return;
  throw new UserError(
    `num_hidden_layers of ${join(directory, "config.json")} must fit ${path}, which holds ${tensors} tensors, but is ` +
      `${numHiddenLayers}.`,
  );
}

/**
 * @param isOptional whether the file need not have a parameter
 * @param isReplaced whether the file may have one of another shape
 */
function tolerated(
  { missing, unexpected, misshaped }: StateMismatch,
  isOptional: (name: string) => boolean,
  isReplaced: (name: string) => boolean,
): StateMismatch {
  return {
    missing: missing.filter((name) => !isOptional(name)),
    unexpected: unexpected.filter((name) => !OPTIONAL.test(name)),
    misshaped: misshaped.filter(({ name }) => !isReplaced(name)),
  };
}

export interface SaveOptions {
  /** Whether clips are brought to zero mean and unit variance first; `readNormalize` says it of the directory that a model came from. */
  normalize: boolean;
  /** Writes its files too. */
  tokenizer?: CtcTokenizer | undefined;
  /** Of a recogniser with attention adapters: writes them into a file of their own too. */
  language?: string | undefined;
  /** Default: the model's field `config`, or that of its backbone */
  config?: Wav2Vec2Config | undefined;
}

const SAVE_OPTIONS = {
  normalize: BOOLEAN,
  tokenizer: true,
  language: TEXT,
  config: CONFIG,
} satisfies KnownOptions<SaveOptions>;

/** There is no default: it is part of what the model is. */
export const NORMALIZE: Kind = {
  ...BOOLEAN,
  advice: () =>
    "Give that of the model it comes from, as readNormalize says it of a directory; true for a new one.",
};

/**
 * Writes a directory in Hugging Face's layout: complete, or as it was before. A model that is there is replaced. Any module
 * can be written; its class's name stands in `config.json` (`architectures`).
 *
 * @throws UserError for a module without a configuration where none is given, and where the directory holds other files
 * than are written, which would be lost
 */
export async function saveModel(
  directory: string,
  model: nn.Module & { readonly config?: Wav2Vec2Config },
  options: SaveOptions,
): Promise<void> {
  requireArguments("saveModel", { directory: [directory, PATH], model: [model, MODULE] });
  requireOptions("saveModel", options, SAVE_OPTIONS);
  requireKind("normalize of saveModel", options.normalize, NORMALIZE);
  const { normalize, tokenizer, language, config = configOf(model) } = options;
  await writeDirectoryAtomic(directory, async (temporary) => {
    await writeConfig(temporary, config, [modelClassOf(model)]);
    const tensors = namedFor(config, model.stateDict());
    await saveTensors(join(temporary, "model.safetensors"), tensors, { format: "pt" });
    await writePreprocessor(temporary, config, normalize);
    await tokenizer?.write(temporary);
    if (language !== undefined && model instanceof Wav2Vec2ForCTC)
      await writeLanguageFiles(temporary, model, language);
    await refuseOtherFiles(directory, await readdir(temporary));
  });
}

/** Tensors under the keys of Hugging Face's class for the configuration's `model_type`. */
function namedFor({ modelType }: Wav2Vec2Config, state: ReadonlyMap<string, Tensor>): [string, Tensor][] {
  return Array.from(state, ([key, tensor]) => [keyOfType(key, modelType), tensor]);
}

function configOf(model: nn.Module & { readonly config?: Wav2Vec2Config }): Wav2Vec2Config {
  const config = model.config ?? findBackbone(model)?.model.config;
  if (config) return config;
  throw new UserError(
    `${modelClassOf(model)} must have a configuration to be written, but has no field config and no Wav2Vec2Model in its ` +
      "fields. Give one: saveModel(directory, model, { normalize, config }).",
  );
}

/** Weights in another format are those of the model that is replaced. */
const WEIGHTS = /^(model|pytorch_model)[\w.-]*\.(safetensors|bin|index\.json)$/;

/**
 * Refuses a directory with files that are not written anew and would be lost.
 *
 * @param replaced what may be there: an export has no weights but its networks'
 * @throws UserError that names them
 */
export async function refuseOtherFiles(
  directory: string,
  written: readonly string[],
  replaced: "a model" | "an export" = "a model",
): Promise<void> {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code !== "ENOTDIR") throw error;
    throw new UserError(`${directory} must be a directory, but is a file. Give another name.`);
  });
  const isReplaced = (name: string) =>
    written.includes(name) || (replaced === "a model" && WEIGHTS.test(name));
  const others = there.filter((name) => !isReplaced(name));
  if (others.length === 0) return;
  throw new UserError(
    `${directory} must be a new directory or that of ${replaced}, but holds other files, which would be lost: ` +
      `${others.slice(0, 5).join(", ")}${others.length > 5 ? ", …" : ""}. Give another directory.`,
  );
}
