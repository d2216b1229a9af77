import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { loadState, type StateMismatch, saveTensors } from "@wav2vec2/libtorch";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { UserError } from "../errors.js";
import { writeDirectoryAtomic } from "../files/atomic-directory.js";
import { writeFileAtomic } from "../files/atomic-file.js";
import type { Wav2Vec2Config } from "../model/configuration.js";
import { readConfig, writeConfig } from "../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../model/ctc.js";
import { CtcTokenizer } from "../text/tokenizer.js";

/** A recogniser as it lies in a directory in Hugging Face's layout. */
export interface CtcModel {
  model: Wav2Vec2ForCTC;
  tokenizer: CtcTokenizer;
  /** Whether clips are brought to zero mean and unit variance first (`do_normalize`). */
  normalize: boolean;
}

/** The heads of `Wav2Vec2ForCTC` and `Wav2Vec2ForPreTraining`; all else is below `wav2vec2.`. */
const HEAD = /^(wav2vec2|lm_head|quantizer|project_q|project_hid|dropout_features)\./;

/** PyTorch before 2.0 named the two halves of a normalised weight so. */
function currentKey(key: string): string {
  // A `Wav2Vec2Model` saved alone has no prefix.
  return (HEAD.test(key) ? key : `wav2vec2.${key}`)
    .replace(/\.conv\.weight_g$/, ".conv.parametrizations.weight.original0")
    .replace(/\.conv\.weight_v$/, ".conv.parametrizations.weight.original1");
}

/**
 * Reads a `Wav2Vec2ForCTC` directory: `config.json`, `model.safetensors`, `vocab.json`,
 * `preprocessor_config.json`.
 *
 * @throws UserError naming the file that is missing, corrupt or does not fit the others
 */
export async function loadCtcModel(directory: string): Promise<CtcModel> {
  const config = await readConfig(directory);
  const tokenizer = await CtcTokenizer.read(directory);
  if (tokenizer.vocabulary.size !== config.vocabSize) {
    throw new UserError(
      `${join(directory, "vocab.json")} must have ${config.vocabSize} tokens as config.json's vocab_size, ` +
        `but has ${tokenizer.vocabulary.size}.`,
    );
  }
  const model = new Wav2Vec2ForCTC(config);
  requireComplete(directory, await loadWeights(model, directory));
  return { model, tokenizer, normalize: await readNormalize(directory) };
}

/** Copies a directory's weights into a model; where its names do not fit comes back. */
export async function loadWeights(model: Wav2Vec2ForCTC, directory: string): Promise<StateMismatch> {
  const path = join(directory, "model.safetensors");
  if (!existsSync(path)) {
    throw new UserError(`${directory} must hold model.safetensors, but does not. Name a model directory.`);
  }
  try {
    return await loadState(model, path, { rename: currentKey });
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
}

/** @throws UserError listing every key that does not fit */
export function requireComplete(directory: string, mismatch: StateMismatch): void {
  const lines = [
    ...mismatch.missing.map((name) => `  missing: ${name}`),
    ...mismatch.unexpected.map((name) => `  unexpected: ${name}`),
    ...mismatch.misshaped.map(
      ({ name, expected, found }) =>
        `  ${name} must be [${expected.join(", ")}], but is [${found.join(", ")}]`,
    ),
  ];
  if (lines.length === 0) return;
  throw new UserError(
    `${join(directory, "model.safetensors")} must hold the weights that config.json describes, but does not:\n` +
      lines.join("\n"),
  );
}

/** Writes a directory that `loadCtcModel` and Hugging Face transformers read: complete, or as it was before. */
export async function saveCtcModel(
  directory: string,
  { model, tokenizer, normalize }: CtcModel,
): Promise<void> {
  await writeDirectoryAtomic(directory, async (temporary) => {
    await writeConfig(temporary, model.config, ["Wav2Vec2ForCTC"]);
    await saveTensors(join(temporary, "model.safetensors"), model.namedParameters(), { format: "pt" });
    await tokenizer.write(temporary);
    await writeFileAtomic(
      join(temporary, "preprocessor_config.json"),
      `${JSON.stringify(preprocessor(model.config, normalize), null, 2)}\n`,
    );
  });
}

function preprocessor(config: Wav2Vec2Config, normalize: boolean): Record<string, unknown> {
  return {
    do_normalize: normalize,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    padding_value: 0,
    // Hugging Face's group-norm models were trained without a mask.
    return_attention_mask: config.featExtractNorm === "layer",
    sampling_rate: SAMPLE_RATE,
  };
}

/** `do_normalize` of `preprocessor_config.json`; Hugging Face's default is true. */
export async function readNormalize(directory: string): Promise<boolean> {
  const path = join(directory, "preprocessor_config.json");
  if (!existsSync(path)) return true;
  let settings: unknown;
  try {
    settings = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new UserError(`${path} must be JSON, but is not: ${(error as Error).message}.`, { cause: error });
  }
  const { do_normalize: normalize = true, sampling_rate: rate = SAMPLE_RATE } = settings as Record<
    string,
    unknown
  >;
  if (rate !== SAMPLE_RATE)
    throw new UserError(`${path}: sampling_rate must be ${SAMPLE_RATE}, but is ${rate}.`);
  if (typeof normalize !== "boolean") {
    throw new UserError(`${path}: do_normalize must be true or false, but is ${JSON.stringify(normalize)}.`);
  }
  return normalize;
}
