import { isObject, type Kind, requireArguments, TEXT } from "../../argument-kinds.js";
import { UserError, withCode } from "../../errors.js";
import { requireOptions } from "../../known-options.js";
import { ARPA_OPTIONS, type ArpaOptions, MOST_PACKED, parseArpa } from "./arpa/arpa-parser.js";
import { parseCompiled, verifyAutomaton } from "./automaton/compiled-format.js";
import { NgramModel } from "./automaton/ngram-model.js";
import { formatOf } from "./language-model-format.js";

export interface LanguageModelBytesOptions extends ArpaOptions {
  /** The file's name, for messages. Default: "the language model" */
  name?: string | undefined;
}

const BYTES: Kind = {
  must: "a file's bytes, a Uint8Array or ArrayBuffer",
  holds: (value) => value instanceof Uint8Array || value instanceof ArrayBuffer,
  advice: (value) =>
    isObject(value) && typeof value.arrayBuffer === "function" ? "Give await its arrayBuffer()." : undefined,
};

/**
 * An n-gram model of a file's bytes: ARPA's format, plain or gzipped, or one that `wav2vec2 lm compile` made, which is
 * compared with its checksum.
 *
 * @throws UserError where it is none or is damaged
 */
export async function parseLanguageModel(
  bytes: Uint8Array<ArrayBuffer> | ArrayBuffer,
  options: LanguageModelBytesOptions = {},
): Promise<NgramModel> {
  requireArguments("parseLanguageModel", { bytes: [bytes, BYTES] });
  requireOptions("parseLanguageModel", options, { ...ARPA_OPTIONS, name: TEXT });
  const { name = "the language model", ...rest } = options;
  const all = new Uint8Array(bytes);
  return await withCode("ERR_LANGUAGE_MODEL", async () => {
    const format = formatOf(name, all);
    if (format === "compiled") {
      const automaton = parseCompiled(name, all.buffer);
      await verifyAutomaton(name, automaton, rest.signal);
      return new NgramModel(automaton);
    }
    const [chunks, most] =
      format === "gzip" ? [unpacked(all, name), all.length * MOST_PACKED] : [whole(all), all.length];
    return new NgramModel(await parseArpa(name, chunks, most, rest));
  });
}

async function* whole(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function* unpacked(bytes: Uint8Array<ArrayBuffer>, name: string): AsyncGenerator<Uint8Array> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (cause) {
    const { message } = cause as Error;
    throw new UserError(`${name} must be a complete gzip file, but is not: ${message}. Fetch it again.`, {
      cause,
    });
  }
}
