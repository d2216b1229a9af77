import { join } from "node:path";
import { nn, type StateMismatch, saveTensors } from "@wav2vec2/libtorch";
import { writeDirectoryAtomic } from "../files/atomic-directory.js";
import { type DownloadProgress, resolveModel } from "../files/hub.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { readConfig, writeConfig } from "../model/configuration-file.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { writePreprocessor } from "./preprocessor.js";
import { requireComplete } from "./state-mismatch.js";
import { type AnyModel, HEAD, loadWeights, weightsPath } from "./weights.js";

/** For a model that is named by its Hub id. */
export interface HubOptions {
  /** Branch, tag or commit; `main` when left out. */
  revision?: string | undefined;
  signal?: AbortSignal | undefined;
  /** How far the download is. */
  onDownload?: ((progress: DownloadProgress) => void) | undefined;
}

export interface LoadOptions extends HubOptions {
  /** What differs from `config.json`, such as dropouts for further training. */
  config?: ((config: Wav2Vec2Config) => Wav2Vec2Config) | undefined;
  /** Start heads from random weights: where the directory has none for them (it is refused otherwise), or always. */
  newHead?: "where missing" | "always" | undefined;
}

/** Parameters that a checkpoint need not have: only a model that masks in training uses the vector. */
const OPTIONAL = /(^|\.)masked_spec_embed$/;

/**
 * Loads a directory in Hugging Face's layout (`config.json` and weights), or a model of the Hub, as one of the three
 * model classes: `loadModel(Wav2Vec2Model, "facebook/wav2vec2-base")`. It may be of another of them, whose head is then
 * left out.
 *
 * @throws UserError where there is no such model, naming the file that is missing or corrupt, or every key that does not fit
 */
export async function loadModel<Model extends AnyModel>(
  modelClass: new (config: Wav2Vec2Config) => Model,
  nameOrDirectory: string,
  { config: change = (config) => config, newHead, ...hub }: LoadOptions = {},
): Promise<Model> {
  const directory = await resolveModel(nameOrDirectory, { ...hub, onProgress: hub.onDownload });
  const config = change(await readConfig(directory));
  const path = weightsPath(directory);
  const model = nn.init.deferred(() => new modelClass(config));
  const mismatch = await loadWeights(model, path, { heads: newHead !== "always" });
  requireComplete(path, tolerated(mismatch, newHead !== undefined));
  return model;
}

function tolerated({ missing, unexpected, misshaped }: StateMismatch, newHead: boolean): StateMismatch {
  return {
    missing: missing.filter((name) => !OPTIONAL.test(name) && !(newHead && HEAD.test(name))),
    unexpected: unexpected.filter((name) => !OPTIONAL.test(name)),
    misshaped,
  };
}

/**
 * Writes a directory in Hugging Face's layout: complete, or as it was before.
 *
 * @param options.normalize whether clips are brought to zero mean and unit variance first
 * @param options.tokenizer writes its files too
 */
export async function saveModel(
  directory: string,
  model: AnyModel,
  { normalize = true, tokenizer }: { normalize?: boolean; tokenizer?: CtcTokenizer } = {},
): Promise<void> {
  await writeDirectoryAtomic(directory, async (temporary) => {
    await writeConfig(temporary, model.config, [model.constructor.name]);
    await saveTensors(join(temporary, "model.safetensors"), model.namedParameters(), { format: "pt" });
    await writePreprocessor(temporary, model.config, normalize);
    await tokenizer?.write(temporary);
  });
}
