import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { nn, type StateMismatch, saveTensors, scope, type TensorSource } from "@wav2vec2/libtorch";
import { resolveDevice } from "../device.js";
import { UserError, withCode } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic-directory.js";
import { type DownloadProgress, resolveModel } from "../files/hub.js";
import { tellNote } from "../files/tell-note.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { readConfig, writeConfig } from "../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../model/ctc.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { writeLanguageFiles } from "./language-files.js";
import { writePreprocessor } from "./preprocessor.js";
import { requireComplete } from "./state-mismatch.js";
import {
  type AnyModel,
  ATTENTION_ADAPTER,
  HEAD,
  loadWeights,
  modelClassOf,
  weightsPath,
  withTensors,
} from "./weights.js";

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

export interface LoadOptions extends HubOptions, DeviceOption {
  /** What differs from `config.json`, such as dropouts for further training. */
  config?: ((config: Wav2Vec2Config) => Wav2Vec2Config) | undefined;
  /** Start heads from random weights: where the directory has none for them (it is refused otherwise), or always. */
  newHead?: "where missing" | "always" | undefined;
  /** Start attention adapters from random weights, whether the directory has some or not. */
  newAdapters?: boolean | undefined;
}

/** Parameters that a checkpoint need not have: only a model that masks in training uses the vector. */
const OPTIONAL = /(^|\.)masked_spec_embed$/;

/**
 * Loads a directory in Hugging Face's layout (`config.json` and weights), or a model of the Hub, as one of the three
 * model classes: `loadModel(Wav2Vec2Model, "facebook/wav2vec2-base")`. It may be of another of them, whose head is then
 * left out. It is on the CPU unless `device` says otherwise.
 *
 * @throws ConfigurationError where there is no such device
 * @throws UserError where there is no such model, naming the file that is missing or corrupt, or every parameter that the file has no values for
 */
export async function loadModel<Model extends AnyModel>(
  modelClass: new (config: Wav2Vec2Config) => Model,
  nameOrDirectory: string,
  {
    config: change = (config) => config,
    newHead,
    newAdapters = false,
    device: wanted = "cpu",
    ...hub
  }: LoadOptions = {},
): Promise<Model> {
  const device = resolveDevice(wanted);
  const directory = await resolveModel(nameOrDirectory, { ...hub, onProgress: hub.onDownload });
  return await withCode("ERR_MODEL_INVALID", async () => {
    const config = change(await readConfig(directory));
    const path = weightsPath(directory);
    return await withTensors(path, async (source) => {
      requireRoom(directory, config, source);
      // In a scope, which lets go at once of what parameters are made of.
      const model = scope(() => nn.init.deferred(() => new modelClass(config)));
      const mismatch = await loadWeights(model, source, {
        heads: newHead !== "always",
        adapters: !newAdapters,
      });
      const optional = [OPTIONAL, ...(newHead ? [HEAD] : []), ...(newAdapters ? [ATTENTION_ADAPTER] : [])];
      tellNote(hub, requireComplete(path, tolerated(mismatch, optional)));
      if (device !== "cpu") model.to({ device });
      return model;
    });
  });
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

/** @param optional parameters that the file need not have */
function tolerated(
  { missing, unexpected, misshaped }: StateMismatch,
  optional: readonly RegExp[],
): StateMismatch {
  return {
    missing: missing.filter((name) => !optional.some((pattern) => pattern.test(name))),
    unexpected: unexpected.filter((name) => !OPTIONAL.test(name)),
    misshaped,
  };
}

/**
 * Writes a directory in Hugging Face's layout: complete, or as it was before. A model that is there is replaced.
 *
 * @param options.normalize whether clips are brought to zero mean and unit variance first; `readNormalize` says it of
 * the directory that a model came from
 * @param options.tokenizer writes its files too
 * @param options.language of a recogniser with attention adapters: writes them into a file of their own too
 * @throws UserError where the directory holds other files than are written, which would be lost
 */
export async function saveModel(
  directory: string,
  model: AnyModel,
  {
    normalize,
    tokenizer,
    language,
  }: { normalize: boolean; tokenizer?: CtcTokenizer; language?: string | undefined },
): Promise<void> {
  await writeDirectoryAtomic(directory, async (temporary) => {
    await writeConfig(temporary, model.config, [modelClassOf(model)]);
    await saveTensors(join(temporary, "model.safetensors"), model.namedParameters(), { format: "pt" });
    await writePreprocessor(temporary, model.config, normalize);
    await tokenizer?.write(temporary);
    if (language !== undefined && model instanceof Wav2Vec2ForCTC)
      await writeLanguageFiles(temporary, model, language);
    await refuseOtherFiles(directory, await readdir(temporary));
  });
}

/** Weights in another format are those of the model that is replaced. */
const WEIGHTS = /^(model|pytorch_model)[\w.-]*\.(safetensors|bin|index\.json)$/;

async function refuseOtherFiles(directory: string, written: readonly string[]): Promise<void> {
  const there = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    if (error.code !== "ENOTDIR") throw error;
    throw new UserError(`${directory} must be a directory, but is a file. Give another name.`);
  });
  const others = there.filter((name) => !written.includes(name) && !WEIGHTS.test(name));
  if (others.length === 0) return;
  throw new UserError(
    `${directory} must be a new directory or that of a model, but holds other files, which would be lost: ` +
      `${others.slice(0, 5).join(", ")}${others.length > 5 ? ", …" : ""}. Give another directory.`,
  );
}
