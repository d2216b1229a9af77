import { UserError } from "../../errors.js";
import { isGzip } from "../../files/packed.js";
import { latin1 } from "../../latin1.js";
import { isCompiled } from "./automaton/compiled-format.js";

/** How a file says what it is: ARPA's format, the same gzipped, or this project's own. */
export type LanguageModelFormat = "arpa" | "gzip" | "compiled";

/** As many of its first bytes tell. */
export const FORMAT_BYTES = 64;

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

/** @throws UserError where a file that begins so is another program's */
export function formatOf(name: string, first: Uint8Array): LanguageModelFormat {
  if (isCompiled(first)) return "compiled";
  if (isGzip(first)) return "gzip";
  const text = latin1(first.subarray(0, FORMAT_BYTES));
  for (const [beginning, advice] of OTHERS)
    if (text.startsWith(beginning))
      throw new UserError(`${name} must be a language model in ARPA's format or a compiled one, ${advice}.`, {
        code: "ERR_LANGUAGE_MODEL",
      });
  return "arpa";
}
