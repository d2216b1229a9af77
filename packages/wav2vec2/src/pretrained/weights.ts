import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadState, openTensors, type StateMismatch } from "@wav2vec2/libtorch";
import { UserError } from "../errors.js";
import type { Wav2Vec2ForCTC } from "../model/ctc.js";
import type { Wav2Vec2ForPreTraining } from "../model/pretraining.js";
import { type ModelClass, stateKeys } from "../model/state-keys.js";
import type { Wav2Vec2Model } from "../model/wav2vec2-model.js";

export type AnyModel = Wav2Vec2Model | Wav2Vec2ForPreTraining | Wav2Vec2ForCTC;

/** The first of these that a directory has is read; the ones behind hold the same weights. */
const FILE_NAMES = [
  "model.safetensors",
  "model.safetensors.index.json",
  "pytorch_model.bin",
  "pytorch_model.bin.index.json",
];

/** @throws UserError where the directory holds no weights that can be read */
export function weightsPath(directory: string): string {
  const name = FILE_NAMES.find((candidate) => existsSync(join(directory, candidate)));
  if (name !== undefined) return join(directory, name);
  throw new UserError(
    `${directory} must hold the weights of a model (${FILE_NAMES.join(", ")}), but holds none of them. ` +
      "Name a model directory.",
  );
}

/** The parts of a network that only some of the classes have. */
export const HEAD = /^(lm_head|quantizer|project_q|project_hid)\./;

/**
 * Copies a file's weights into a model, whichever of the three model classes it was saved from and under Hugging
 * Face's names or fairseq's.
 *
 * @param options.heads false leaves the file's heads out, also those of the model's own class
 * @returns where names and shapes do not fit; heads of other classes are left out without a word. Parameters that the
 * file does not have keep their first values
 * @throws UserError where the file cannot be read
 */
export async function loadWeights(
  model: AnyModel,
  path: string,
  { heads = true }: { heads?: boolean } = {},
): Promise<StateMismatch> {
  try {
    const source = await openTensors(path);
    try {
      const keys = stateKeys(source.entries.keys(), model.constructor.name as ModelClass);
      const rename = (key: string) => {
        const name = keys.rename(key);
        return heads || name === undefined || !HEAD.test(name) ? name : undefined;
      };
      return await loadState(model, source, { rename });
    } finally {
      await source.close();
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError((error as Error).message, { cause: error });
  }
}
