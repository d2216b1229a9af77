import { writeFileAtomic } from "#platform/files";
import { join } from "#platform/paths";
import { PATH, requireArguments } from "../argument-kinds.js";
import { SAMPLE_RATE } from "../audio/sample-rate.js";
import { UserError } from "../errors.js";
import { type JsonObject, readJsonObject } from "../files/json-file.js";
import type { Wav2Vec2Config } from "../model/configuration.js";

const FILE_NAME = "preprocessor_config.json";
/** Where transformers 5 keeps the same settings, below `feature_extractor`. */
const PROCESSOR_FILE_NAME = "processor_config.json";

/**
 * `do_normalize` of a directory's `preprocessor_config.json` or `processor_config.json`: whether clips are brought to
 * zero mean and unit variance first. True where there is neither file, as Hugging Face has it.
 *
 * @throws UserError where the file is not JSON, has another sampling rate than 16 kHz, or a value that is no boolean
 */
export async function readNormalize(directory: string): Promise<boolean> {
  requireArguments("readNormalize", { directory: [directory, PATH] });
  const { path, settings } = await readSettings(directory);
  const { do_normalize: normalize = true, sampling_rate: rate = SAMPLE_RATE } = settings;
  if (rate !== SAMPLE_RATE)
    throw new UserError(
      `${path}: sampling_rate must be ${SAMPLE_RATE}, but is ${rate}. Name a model of ${SAMPLE_RATE / 1000} kHz, to which all audio ` +
        "is brought here.",
    );
  if (typeof normalize !== "boolean") {
    throw new UserError(`${path}: do_normalize must be true or false, but is ${JSON.stringify(normalize)}.`);
  }
  return normalize;
}

async function readSettings(directory: string): Promise<{ path: string; settings: JsonObject }> {
  const path = join(directory, FILE_NAME);
  const settings = await readJsonObject(path);
  if (settings) return { path, settings };
  const combined = join(directory, PROCESSOR_FILE_NAME);
  const { feature_extractor } = (await readJsonObject(combined)) ?? {};
  return { path: combined, settings: (feature_extractor ?? {}) as JsonObject };
}

/** Writes `preprocessor_config.json`, by which Hugging Face prepares clips as we do. */
export async function writePreprocessor(
  directory: string,
  config: Wav2Vec2Config,
  normalize: boolean,
): Promise<void> {
  const settings = {
    do_normalize: normalize,
    feature_extractor_type: "Wav2Vec2FeatureExtractor",
    feature_size: 1,
    padding_side: "right",
    padding_value: 0,
    // Hugging Face's group-norm models were trained without a mask.
    return_attention_mask: config.featExtractNorm === "layer",
    sampling_rate: SAMPLE_RATE,
  };
  await writeFileAtomic(join(directory, FILE_NAME), `${JSON.stringify(settings, null, 2)}\n`);
}
