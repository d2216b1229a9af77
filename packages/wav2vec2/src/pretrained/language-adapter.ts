import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { loadState } from "@wav2vec2/libtorch";
import { PATH, requireArguments, TEXT } from "../argument-kinds.js";
import { UserError } from "../errors.js";
import { adapterFileName, chooseAdapter } from "../files/hub/model-files.js";
import { tellNote } from "../files/tell-note.js";
import { requireOptions } from "../known-options.js";
import type { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { adapterKeys, stateKeys } from "../model/state-keys.js";
import { MODULE } from "../module-kinds.js";
import type { HubOptions } from "./model-directory.js";
import { requireComplete } from "./state-mismatch.js";
import { withoutAdapterAxis, withTensors } from "./weights.js";

/**
 * Loads a language's own weights into a multilingual recogniser: every attention adapter and the CTC head, from
 * `adapter.<language>.safetensors` or `.bin`, under Hugging Face's names or fairseq's (Pratap et al. 2023, arXiv 2305.13516).
 * Hugging Face: `load_adapter`.
 *
 * @throws UserError where the model has no adapters, the directory has none of this language, or keys do not fit
 */
export async function loadLanguageAdapter(
  model: Wav2Vec2ForCTC,
  directory: string,
  language: string,
  notes: Pick<HubOptions, "onNote"> = {},
): Promise<void> {
  requireArguments("loadLanguageAdapter", {
    model: [model, MODULE],
    directory: [directory, PATH],
    language: [language, TEXT],
  });
  requireOptions("loadLanguageAdapter", notes, { onNote: true });
  if (model.wav2vec2?.config.adapterAttnDim === null) {
    throw new UserError(
      `${directory} must be a model with adapter_attn_dim for a language to be chosen, but its config.json has none.`,
    );
  }
  const file = chooseAdapter(language, (name) => existsSync(join(directory, name)));
  if (file === undefined) throw new UserError(await describeMissing(directory, language));
  const path = join(directory, file);
  const wanted = new Set(adapterKeys(Array.from(model.namedParameters(), ([key]) => key)));
  await withTensors(path, (source) => {
    const keys = stateKeys(source.entries.keys(), "Wav2Vec2ForCTC");
    return loadState(model, withoutAdapterAxis(source), {
      rename: (key) => {
        const name = keys.rename(key);
        return name !== undefined && wanted.has(name) ? name : ""; // others would overwrite what all languages share
      },
      check: ({ missing, ...others }) =>
        tellNote(
          notes,
          requireComplete(path, { ...others, missing: missing.filter((key) => wanted.has(key)) }),
        ),
    });
  });
}

async function describeMissing(directory: string, language: string): Promise<string> {
  const path = join(directory, adapterFileName(language));
  const files = await readdir(directory);
  const languages = files.flatMap((file) => /^adapter\.(.+)\.(?:safetensors|bin)$/.exec(file)?.[1] ?? []);
  const known = languages.length > 0 ? languages.sort().join(", ") : "none";
  return `language must be one that ${directory} has an adapter for (${known}), but is ${language}. ${path} is missing.`;
}
