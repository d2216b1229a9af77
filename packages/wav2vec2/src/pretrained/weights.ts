import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadState, openTensors, type StateMismatch, type TensorSource } from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";
import { chooseWeights, WEIGHT_FILES } from "../files/model-files.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { type ModelClass, stateKeys } from "../model/state-keys.js";
import type { Wav2Vec2Model } from "../model/wav2vec2-model.js";

export type AnyModel = Wav2Vec2Model | Wav2Vec2ForPreTraining | Wav2Vec2ForCTC;

/** Which of the three classes a model is of, a subclass as its base. */
export function modelClassOf(model: AnyModel): ModelClass {
  if (model instanceof Wav2Vec2ForCTC) return "Wav2Vec2ForCTC";
  return model instanceof Wav2Vec2ForPreTraining ? "Wav2Vec2ForPreTraining" : "Wav2Vec2Model";
}

/** @throws UserError where the directory holds no weights that can be read */
export function weightsPath(directory: string): string {
  const name = chooseWeights((candidate) => existsSync(join(directory, candidate)));
  if (name !== undefined) return join(directory, name);
  throw new UserError(
    `${directory} must hold the weights of a model (${WEIGHT_FILES.join(", ")}), but holds none of them. ` +
      "Name a model directory.",
  );
}

/** Opens a file of tensors and closes it afterwards. @throws UserError where it cannot be read */
export async function withTensors<T>(path: string, body: (source: TensorSource) => Promise<T>): Promise<T> {
  try {
    const source = await openTensors(path);
    try {
      return await body(source);
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError((error as Error).message, { cause: error });
  }
}

/** Whether a model's weights hold tensors whose names, as those of a class, begin with `prefix`. */
export async function holdsTensors(
  directory: string,
  modelClass: ModelClass,
  prefix: string,
): Promise<boolean> {
  const keys = await withTensors(weightsPath(directory), async ({ entries }) => [...entries.keys()]);
  const { rename } = stateKeys(keys, modelClass);
  return keys.some((key) => rename(key)?.startsWith(prefix));
}

/** The bottlenecks inside layers, which only some models have. */
export const ATTENTION_ADAPTER = /(^|\.)encoder\.layers\.\d+\.adapter_layer\./;

/** The parts of a network that only some of the classes have. */
export const HEAD = /^(lm_head|quantizer|project_q|project_hid)\./;

/**
 * Copies a file's weights into a model, whichever of the three model classes it was saved from and under Hugging
 * Face's names or fairseq's.
 *
 * @param options.heads false leaves the file's heads out, also those of the model's own class
 * @param options.adapters false leaves the file's attention adapters out
 * @returns where names and shapes do not fit; heads of other classes are left out without a word. Parameters that the
 * file does not have keep their first values
 */
export async function loadWeights(
  model: AnyModel,
  source: TensorSource,
  { heads = true, adapters = true }: { heads?: boolean; adapters?: boolean } = {},
): Promise<StateMismatch> {
  const keys = stateKeys(source.entries.keys(), modelClassOf(model));
  const rename = (key: string) => {
    const name = keys.rename(key);
    if (name === undefined || (!heads && HEAD.test(name))) return undefined;
    return adapters || !ATTENTION_ADAPTER.test(name) ? name : undefined;
  };
  return await loadState(model, source, { rename });
}
