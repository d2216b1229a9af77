import { stat } from "node:fs/promises";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { UserError, withCode } from "../../errors.js";
import { firstBytes, isGzip } from "../../files/file-bytes.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { type ArpaOptions, readArpa } from "./arpa-reader.js";
import { isCompiled, readCompiled, verifyCompiled } from "./compiled-file.js";
import { NgramModel } from "./ngram-model.js";

/** How a file says what it is: ARPA's format, the same gzipped, or this project's own. */
export type LanguageModelFormat = "arpa" | "gzip" | "compiled";

/** Bytes of a compiled model that is read as a whole before it is used. */
const VERIFIED = 2 ** 30;
/** What other programs' own formats begin with, and what makes ARPA's of them. */
const OTHERS: readonly [beginning: string, advice: string][] = [
  [
    "mmap lm http://kheafield.com/code",
    "but is KenLM's binary format, which cannot be turned back. Give the ARPA file that it was built from",
  ],
  ["blmt", "but is IRSTLM's binary format. Convert it: compile-lm --text=yes FILE FILE.arpa"],
  ["iARPA", "but is IRSTLM's iARPA. Convert it: compile-lm --text=yes FILE FILE.arpa"],
  ["SRILM_BINARY_NGRAM", "but is SRILM's binary format. Convert it: ngram -lm FILE -write-lm FILE.arpa"],
];

const ARPA_OPTIONS = { onProgress: true, signal: true, onNote: true } satisfies KnownOptions<ArpaOptions>;

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
  const first = await firstBytes(path, 64, "a language model");
  if (isCompiled(first)) return "compiled";
  if (isGzip(first)) return "gzip";
  const text = Buffer.from(first).toString("latin1");
  for (const [beginning, advice] of OTHERS)
    if (text.startsWith(beginning))
      throw new UserError(`${path} must be a language model in ARPA's format or a compiled one, ${advice}.`, {
        code: "ERR_LANGUAGE_MODEL",
      });
  return "arpa";
}
