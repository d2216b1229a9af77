import { PATH, requireArguments, TEXT } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import { resolveModel } from "../files/hub/hub.js";
import { type KnownOptions, requireOptions } from "../known-options.js";
import { readArchitectures } from "../model/configuration-file.js";
import {
  CLASSIFIERS,
  type ClassificationModel,
  type ClassificationTask,
  taskOfArchitecture,
} from "../model/heads/classification-task.js";
import { inPrecision } from "../precision/in-precision.js";
import { PRECISION, type Precision } from "../precision/precision-names.js";
import {
  type DeviceOption,
  HUB_OPTIONS,
  type HubOptions,
  hubRequest,
  loadModel,
  type PrecisionOption,
  saveModel,
} from "../pretrained/model-directory.js";
import { readNormalize } from "../pretrained/preprocessor.js";
import { CLASSIFIER } from "./classifier-kind.js";

/** A model with a classification head as it lies in a directory in Hugging Face's layout. */
export interface Classifier<Model extends ClassificationModel = ClassificationModel> {
  model: Model;
  /** Whether clips are brought to zero mean and unit variance first (`do_normalize`). */
  normalize: boolean;
  /** Number format of matrix products and convolutions in predictions. Default: float32 */
  precision?: Precision | undefined;
}

export interface LoadClassifierOptions extends HubOptions, DeviceOption, PrecisionOption {}

export const LOAD_CLASSIFIER_OPTIONS = {
  ...HUB_OPTIONS,
  device: TEXT,
  precision: PRECISION,
} satisfies KnownOptions<LoadClassifierOptions>;

/**
 * Which classification head a model has, by `architectures` of its config.json; undefined where it has none.
 *
 * @throws UserError where there is no such model
 */
export async function classificationTaskOf(
  nameOrDirectory: string,
  hub: HubOptions = {},
): Promise<ClassificationTask | undefined> {
  const directory = await resolveModel(nameOrDirectory, hubRequest(hub));
  return taskOfArchitecture((await readArchitectures(directory))[0]);
}

/**
 * Reads the directory of a model with a classification head, or a model of the Hub. It is on the CPU unless `device` says
 * otherwise.
 *
 * @throws ConfigurationError where there is no such device, or it does not compute in the precision
 * @throws UserError where the model has no such head, naming the file that is missing, corrupt or does not fit the others
 */
export async function loadClassifier(
  nameOrDirectory: string,
  options: LoadClassifierOptions = {},
): Promise<Classifier> {
  requireOptions("loadClassifier", options, LOAD_CLASSIFIER_OPTIONS);
  const { device, precision, ...hub } = options;
  const directory = await resolveModel(nameOrDirectory, hubRequest(hub));
  const architectures = await readArchitectures(directory);
  const task = taskOfArchitecture(architectures[0]);
  if (!task) throw noClassifier(nameOrDirectory, architectures);
  const model = await loadModel(CLASSIFIERS[task], directory, {
    device,
    newHead: "never",
    onNote: hub.onNote,
  });
  const classifier = { model, normalize: await readNormalize(directory) };
  return await inPrecision<Classifier>(classifier, precision, { device: model.device, onNote: hub.onNote });
}

function noClassifier(name: string, architectures: readonly string[]): UserError {
  const known = Object.values(CLASSIFIERS).map(({ name }) => name);
  const has = architectures.length === 0 ? "does not say what it is" : `is a ${architectures.join(", ")}`;
  return new UserError(
    `${name} must be a model with a classification head (architectures in config.json: ${known.join(", ")}), but ${has}. ` +
      "Train one with a recipe of task classify, frames or speaker.",
  );
}

/** Writes a directory that `loadClassifier` and Hugging Face transformers read: complete, or as it was before. */
export async function saveClassifier(directory: string, classifier: Classifier): Promise<void> {
  requireArguments("saveClassifier", { directory: [directory, PATH], classifier: [classifier, CLASSIFIER] });
  const { model, normalize } = classifier;
  await saveModel(directory, model, { normalize });
}
