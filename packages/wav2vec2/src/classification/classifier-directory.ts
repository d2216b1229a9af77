import { describeType } from "../describe-type.js";
import { ConfigurationError, UserError } from "../errors.js";
import { resolveModel } from "../files/hub.js";
import { requireOptions } from "../known-options.js";
import { readArchitectures } from "../model/configuration-file.js";
import {
  CLASSIFIERS,
  type ClassificationModel,
  type ClassificationTask,
  isClassificationModel,
  taskOfArchitecture,
} from "../model/heads/classification-task.js";
import { type DeviceOption, type HubOptions, loadModel, saveModel } from "../pretrained/model-directory.js";
import { readNormalize } from "../pretrained/preprocessor.js";

/** A model with a classification head as it lies in a directory in Hugging Face's layout. */
export interface Classifier<Model extends ClassificationModel = ClassificationModel> {
  model: Model;
  /** Whether clips are brought to zero mean and unit variance first (`do_normalize`). */
  normalize: boolean;
}

export interface LoadClassifierOptions extends HubOptions, DeviceOption {}

export const LOAD_CLASSIFIER_OPTIONS = {
  revision: true,
  signal: true,
  onDownload: true,
  onNote: true,
  device: true,
} satisfies Record<keyof LoadClassifierOptions, true>;

/**
 * Which classification head a model has, by `architectures` of its config.json; undefined where it has none.
 *
 * @throws UserError where there is no such model
 */
export async function classificationTaskOf(
  nameOrDirectory: string,
  hub: HubOptions = {},
): Promise<ClassificationTask | undefined> {
  const directory = await resolveModel(nameOrDirectory, { ...hub, onProgress: hub.onDownload });
  return taskOfArchitecture((await readArchitectures(directory))[0]);
}

/**
 * Reads the directory of a model with a classification head, or a model of the Hub. It is on the CPU unless `device` says
 * otherwise.
 *
 * @throws ConfigurationError where there is no such device
 * @throws UserError where the model has no such head, naming the file that is missing, corrupt or does not fit the others
 */
export async function loadClassifier(
  nameOrDirectory: string,
  options: LoadClassifierOptions = {},
): Promise<Classifier> {
  requireOptions("loadClassifier", options, LOAD_CLASSIFIER_OPTIONS);
  const { device, ...hub } = options;
  const directory = await resolveModel(nameOrDirectory, { ...hub, onProgress: hub.onDownload });
  const architectures = await readArchitectures(directory);
  const task = taskOfArchitecture(architectures[0]);
  if (!task) throw noClassifier(nameOrDirectory, architectures);
  const model = await loadModel(CLASSIFIERS[task], directory, {
    device,
    newHead: "never",
    onNote: hub.onNote,
  });
  return { model, normalize: await readNormalize(directory) };
}

function noClassifier(name: string, architectures: readonly string[]): UserError {
  const known = Object.values(CLASSIFIERS).map(({ name }) => name);
  const has = architectures.length === 0 ? "does not say what it is" : `is a ${architectures.join(", ")}`;
  return new UserError(
    `${name} must be a model with a classification head (architectures in config.json: ${known.join(", ")}), but ${has}. ` +
      "Train one with a recipe of task classify, frames or speaker.",
  );
}

/**
 * @param of the function that wants a classifier in memory, for the message
 * @throws ConfigurationError where it is none, with what to do to have one
 */
export function requireClassifier(of: string, value: unknown): asserts value is Classifier {
  const { model, normalize } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Partial<Classifier>;
  if (isClassificationModel(model) && typeof normalize === "boolean") return;
  throw new ConfigurationError(
    `The classifier of ${of} must be { model, normalize } with a classification head, but is ${describeType(value)}` +
      (model ? ` whose model is ${describeType(model)}. ` : ". ") +
      "Give await loadClassifier(directory), or the field classifier of what trainClassifier returns.",
  );
}

/** Writes a directory that `loadClassifier` and Hugging Face transformers read: complete, or as it was before. */
export async function saveClassifier(directory: string, { model, normalize }: Classifier): Promise<void> {
  await saveModel(directory, model, { normalize });
}
