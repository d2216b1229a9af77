import type { Device } from "@wav2vec2/libtorch";
import { PATH, requireArguments, TEXT } from "../argument-kinds.js";
import { resolveDevice } from "../device.js";
import { UserError, withCode } from "../errors.js";
import { resolveModel } from "../files/hub/hub.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { createConfig, type Wav2Vec2Config } from "../model/configuration.js";
import { readArchitectures, readConfig } from "../model/configuration-file.js";
import { taskOfArchitecture } from "../model/heads/classification-task.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { inPrecision } from "../precision/in-precision.js";
import { PRECISION, type Precision } from "../precision/precision-names.js";
import { CtcTokenizer } from "../text/tokenizer.js";
import { CTC_MODEL } from "./ctc-model-kind.js";
import { loadLanguageAdapter } from "./language-adapter.js";
import {
  type DeviceOption,
  HUB_OPTIONS,
  type HubOptions,
  hubRequest,
  loadModel,
  type PrecisionOption,
  saveModel,
} from "./model-directory.js";
import { readNormalize } from "./preprocessor.js";
import { requireVocabulary } from "./require-vocabulary.js";
import { holdsTensors } from "./weights.js";

/** A recogniser as it lies in a directory in Hugging Face's layout. */
export interface CtcModel {
  model: Wav2Vec2ForCTC;
  tokenizer: CtcTokenizer;
  /** Whether clips are brought to zero mean and unit variance first (`do_normalize`). */
  normalize: boolean;
  /** Number format of matrix products and convolutions in recognition. Default: float32 */
  precision?: Precision | undefined;
}

export interface LoadCtcOptions extends HubOptions, DeviceOption, PrecisionOption {
  /** Of a multilingual model: whose `adapter.<language>.safetensors` and vocabulary to take. */
  language?: string | undefined;
}

export const LOAD_CTC_OPTIONS = {
  ...HUB_OPTIONS,
  device: TEXT,
  precision: PRECISION,
  language: TEXT,
} satisfies KnownOptions<LoadCtcOptions>;

/**
 * Reads a `Wav2Vec2ForCTC` directory, or a model of the Hub: `config.json`, weights, `vocab.json`, `preprocessor_config.json`.
 * It is on the CPU unless `device` says otherwise, and in evaluation.
 *
 * @throws ConfigurationError where there is no such device, or it does not compute in the precision
 * @throws UserError naming the file that is missing, corrupt or does not fit the others
 */
export async function loadCtcModel(nameOrDirectory: string, options: LoadCtcOptions = {}): Promise<CtcModel> {
  requireOptions("loadCtcModel", options, LOAD_CTC_OPTIONS);
  return await findCtcModel(nameOrDirectory, options);
}

/** {@link loadCtcModel} for callers whose options hold more. */
export async function findCtcModel(
  nameOrDirectory: string,
  { language, device: wanted, precision, ...hub }: LoadCtcOptions,
): Promise<CtcModel> {
  const device = resolveDevice(wanted ?? "cpu");
  const found = { ...hubRequest(hub), adapter: language, tokenizer: true };
  const directory = await resolveModel(nameOrDirectory, found);
  const ctc = await withCode("ERR_MODEL_INVALID", () => readCtcModel(directory, language, device, hub));
  return await inPrecision(ctc, precision, { device, onNote: hub.onNote });
}

async function readCtcModel(
  directory: string,
  language: string | undefined,
  device: Device,
  hub: HubOptions,
): Promise<CtcModel> {
  await requireNoClassifier(directory);
  const notes = { onNote: hub.onNote };
  const normalize = await readNormalize(directory);
  if (language !== undefined) {
    const tokenizer = await CtcTokenizer.read(directory, { language });
    const { size: vocabSize, blankId: padTokenId } = tokenizer.vocabulary;
    const config = (base: Wav2Vec2Config) => createConfig({ vocabSize, padTokenId }, base);
    const model = await loadModel(Wav2Vec2ForCTC, directory, { config, newHead: "always", ...notes });
    await loadLanguageAdapter(model, directory, language, notes);
    model.to({ device });
    return { model, tokenizer, normalize };
  }
  const config = await readConfig(directory);
  const tokenizer = await CtcTokenizer.read(directory, { size: config.vocabSize ?? undefined });
  requireVocabulary(directory, config, tokenizer);
  return { model: await loadModel(Wav2Vec2ForCTC, directory, { device, ...notes }), tokenizer, normalize };
}

/** @throws UserError for the directory of a classifier, saying what takes it */
async function requireNoClassifier(directory: string): Promise<void> {
  const [architecture] = await readArchitectures(directory);
  const task = taskOfArchitecture(architecture);
  if (task === undefined) return;
  throw new UserError(
    `${directory} must be a recogniser, but is a ${architecture}: a classifier of the task ${task}. Use wav2vec2 classify, or from ` +
      "code loadClassifier and classifyFile.",
  );
}

/** Whether a model's weights hold an output layer for CTC; those of pre-trained models do not. */
export function hasCtcHead(directory: string): Promise<boolean> {
  return holdsTensors(directory, "Wav2Vec2ForCTC", "lm_head.");
}

/**
 * Writes a directory that `loadCtcModel` and Hugging Face transformers read: complete, or as it was before.
 *
 * @param options.language of a model with attention adapters: writes `adapter.<language>.safetensors` too
 */
export async function saveCtcModel(
  directory: string,
  ctc: CtcModel,
  options: { language?: string | undefined } = {},
): Promise<void> {
  requireArguments("saveCtcModel", { directory: [directory, PATH], ctc: [ctc, CTC_MODEL] });
  requireOptions("saveCtcModel", options, { language: TEXT });
  const { model, tokenizer, normalize } = ctc;
  const { language } = options;
  await saveModel(directory, model, { normalize, tokenizer, language });
}
