import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** Where transformers' `Wav2Vec2ProcessorWithLM` keeps the language model that belongs to a recogniser. */
const FOLDER = "language_model";

/**
 * A note on a language model beside a recogniser, with which transformers decodes it unasked; undefined where a model is
 * given, or none is there.
 */
export async function unusedLanguageModel(
  directory: string,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined) return undefined;
  const files = await readdir(join(directory, FOLDER)).catch(() => []);
  const found = files.sort().find((file) => /\.(arpa|arpa\.gz|bin|binary|klm)$/.test(file));
  if (found === undefined) return undefined;
  const path = join(directory, FOLDER, found);
  return (
    `${path} is the language model that transformers decodes this recogniser with; here none is used unless it is given ` +
    `(--lm), as an ARPA file.`
  );
}
