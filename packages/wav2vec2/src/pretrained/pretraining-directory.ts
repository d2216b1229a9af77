import { isObject, type Kind, PATH, requireArguments } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import { resolveModel } from "../files/hub/hub.js";
import { requireOptions } from "../known-options.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { MODULE } from "../module-kinds.js";
import { hubRequest, type LoadOptions, loadModel, PRETRAINED_OPTIONS, saveModel } from "./model-directory.js";
import { readNormalize } from "./preprocessor.js";
import { holdsTensors, weightsPath } from "./weights.js";

/** A model of pre-training as it lies in a directory in Hugging Face's layout. */
export interface PreTrainingModel {
  model: Wav2Vec2ForPreTraining;
  /** Whether clips are brought to zero mean and unit variance first (`do_normalize`). */
  normalize: boolean;
}

export type LoadPreTrainingOptions = Omit<LoadOptions, "newHead">;

/**
 * Reads a `Wav2Vec2ForPreTraining` directory, or a model of the Hub: `config.json`, weights, `preprocessor_config.json`.
 *
 * @throws UserError naming the file that is missing, corrupt or does not fit the others, and for a model without
 * quantizer, as fine-tuned ones are
 */
export async function loadPreTrainingModel(
  nameOrDirectory: string,
  options: LoadPreTrainingOptions = {},
): Promise<PreTrainingModel> {
  requireOptions("loadPreTrainingModel", options, PRETRAINED_OPTIONS);
  const { config, device, newAdapters, ...hub } = options;
  const directory = await resolveModel(nameOrDirectory, hubRequest(hub));
  const normalize = await readNormalize(directory);
  await requireQuantizer(nameOrDirectory, directory);
  return {
    model: await loadModel(Wav2Vec2ForPreTraining, directory, {
      config,
      device,
      newAdapters,
      onNote: hub.onNote,
    }),
    normalize,
  };
}

/** Whether a model's weights hold a quantizer; those of fine-tuned models do not. */
export function hasQuantizer(directory: string): Promise<boolean> {
  return holdsTensors(directory, "Wav2Vec2ForPreTraining", "quantizer.");
}

/** A model without one lacks more tensors; a list of them all would not say what is wrong. */
async function requireQuantizer(name: string, directory: string): Promise<void> {
  if (await hasQuantizer(directory)) return;
  throw new UserError(
    `${name} must be a pre-trained model with a quantizer, but ${weightsPath(directory)} has none of quantizer.*. Fine-tuned models ` +
      "have left it out: name the model that they were made from.",
  );
}

const PRETRAINING_MODEL: Kind = {
  must: "{ model, normalize } as loadPreTrainingModel gives it",
  holds: (value) => isObject(value) && MODULE.holds(value.model),
};

/** Writes a directory that `loadPreTrainingModel` and Hugging Face transformers read: complete, or as it was before. */
export async function savePreTrainingModel(directory: string, given: PreTrainingModel): Promise<void> {
  requireArguments("savePreTrainingModel", {
    directory: [directory, PATH],
    model: [given, PRETRAINING_MODEL],
  });
  const { model, normalize } = given;
  await saveModel(directory, model, { normalize });
}
