import { stat } from "node:fs/promises";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { withCode } from "../../errors.js";
import { firstBytes } from "../../files/file-bytes.js";
import { requireOptions } from "../../known-options.js";
import { ARPA_OPTIONS, type ArpaOptions } from "./arpa/arpa-parser.js";
import { readArpa } from "./arpa/arpa-reader.js";
import { readCompiled, verifyCompiled } from "./automaton/compiled-file.js";
import { NgramModel } from "./automaton/ngram-model.js";
import { FORMAT_BYTES, formatOf, type LanguageModelFormat } from "./language-model-format.js";

/** Bytes of a compiled model that is read as a whole before it is used. */
const VERIFIED = 2 ** 30;

/**
 * Loads an n-gram model: ARPA's format, plain or gzipped, or one that `wav2vec2 lm compile` made, which is there at
 * once. The file's contents tell, not its name. Compiled ones of up to 1 GiB are compared with their checksum, which takes
 * less than a second; `wav2vec2 lm info` does so with any.
 *
 * @throws UserError where it is none or is damaged, as `readArpa` says
 */
export async function loadLanguageModel(path: string, options: ArpaOptions = {}): Promise<NgramModel> {
  requireArguments("loadLanguageModel", { path: [path, PATH] });
  requireOptions("loadLanguageModel", options, ARPA_OPTIONS);
  return await withCode("ERR_LANGUAGE_MODEL", async () => {
    const format = await languageModelFormat(path);
    if (format !== "compiled") return new NgramModel(await readArpa(path, options));
    const automaton = await readCompiled(path);
    if ((await stat(path)).size <= VERIFIED) await verifyCompiled(path, options.signal);
    return new NgramModel(automaton);
  });
}

/** @throws UserError where it is a file of another program that says so in its first bytes */
export async function languageModelFormat(path: string): Promise<LanguageModelFormat> {
  return formatOf(path, await firstBytes(path, FORMAT_BYTES, "a language model"));
}
