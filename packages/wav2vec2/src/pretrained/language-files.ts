import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { saveTensors, type Tensor } from "@wav2vec2/libtorch";
import { writeFileAtomic } from "../files/atomic/atomic-file.js";
import { adapterFileName } from "../files/hub/model-files.js";
import type { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { keyOfType } from "../model/model-type.js";
import { adapterKeys } from "../model/state-keys.js";

/**
 * Makes a recogniser's directory that of a multilingual model with one language, as Hugging Face's
 * run_speech_recognition_ctc_adapter.py leaves it: the language's adapters and head in a file of their own, and its
 * vocabulary under its name. The file can be put beside another model with the same backbone.
 *
 * @param directory with the tokenizer's files, not yet in its place
 * @throws UserError for a language that is no code
 */
export async function writeLanguageFiles(
  directory: string,
  model: Wav2Vec2ForCTC,
  language: string,
): Promise<void> {
  const own = new Set(adapterKeys(Array.from(model.namedParameters(), ([key]) => key)));
  const { modelType } = model.config;
  const tensors = [...model.namedParameters()].flatMap(([key, tensor]): [string, Tensor][] =>
    own.has(key) ? [[keyOfType(key, modelType), tensor]] : [],
  );
  await saveTensors(join(directory, adapterFileName(language)), tensors, { format: "pt" });
  await change(join(directory, "vocab.json"), (vocabulary) => ({ [language]: vocabulary }));
  await change(join(directory, "tokenizer_config.json"), (settings) => ({
    ...settings,
    target_lang: language,
  }));
}

async function change(path: string, edit: (json: object) => object): Promise<void> {
  const json = JSON.parse(await readFile(path, "utf8")) as object;
  await writeFileAtomic(path, `${JSON.stringify(edit(json), null, 2)}\n`);
}
