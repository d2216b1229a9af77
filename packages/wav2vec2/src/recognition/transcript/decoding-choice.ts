import { dirname, relative, resolve } from "node:path";
import { PATH, requireArguments } from "../../argument-kinds.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { readJsonObject } from "../../files/json-file.js";
import { inTurns } from "../../in-turns.js";
import type { KnownOptions } from "../../known-options.js";
import { CtcDecoder } from "../../text/decoding/ctc-decoder.js";
import { type DecodingOptions, resolveDecodingOptions } from "../../text/decoding/decoding-options.js";
import { languageModelFitInSteps } from "../../text/decoding/words/language-model-fit.js";
import { loadLanguageModel } from "../../text/language-model/load-language-model.js";
import type { CtcTokenizer } from "../../text/tokenizer.js";

/** How emissions are to be decoded, as a user says it: a language model is a file. */
export interface DecodingChoice
  extends Omit<DecodingOptions, "languageModel" | "tokenMinLogp" | "beamPruneLogp"> {
  /** ARPA file, gzipped or not, or one that `lm compile` made. */
  languageModel?: string | undefined;
}

export const DECODING_CHOICE_OPTIONS = {
  languageModel: PATH,
  beamWidth: true,
  lmWeight: true,
  wordScore: true,
  unknownScore: true,
  hotwords: true,
  hotwordWeight: true,
} satisfies KnownOptions<DecodingChoice>;

/** Names in a decoding file. */
const NUMBERS = {
  beam_width: "beamWidth",
  lm_weight: "lmWeight",
  word_score: "wordScore",
  unknown_score: "unknownScore",
  hotword_weight: "hotwordWeight",
} as const satisfies Record<string, keyof DecodingChoice>;
const NAMES = ["language_model", "hotwords", ...Object.keys(NUMBERS)];

/**
 * Reads a choice that `lm tune` found or a person wrote: a JSON object with some of `language_model` (a path relative to
 * the file), `lm_weight`, `word_score`, `unknown_score`, `beam_width`, `hotwords` and `hotword_weight`.
 *
 * @throws UserError where the file is missing or holds no JSON; ConfigurationError naming the file and the entry that is wrong
 */
export async function readDecodingChoice(path: string): Promise<DecodingChoice> {
  requireArguments("readDecodingChoice", { path: [path, PATH] });
  const entries = await readJsonObject(path);
  if (entries === undefined)
    throw new UserError(`${path} must be a file that says how to decode, but is missing.`, {
      code: "ERR_FILE_NOT_FOUND",
    });
  const choice: DecodingChoice = {};
  for (const [name, value] of Object.entries(entries)) {
    const wrong = (kind: string) =>
      new ConfigurationError(`${name} of ${path} must be ${kind}, but is ${JSON.stringify(value)}.`);
    if (name === "language_model") {
      if (typeof value !== "string") throw wrong("a path");
      choice.languageModel = resolve(dirname(path), value);
    } else if (name === "hotwords") {
      if (!Array.isArray(value) || !value.every((word) => typeof word === "string"))
        throw wrong("a list of words");
      choice.hotwords = value;
    } else if (name in NUMBERS) {
      if (typeof value !== "number") throw wrong("a number");
      choice[NUMBERS[name as keyof typeof NUMBERS]] = value;
    } else {
      throw new ConfigurationError(
        `${path} must hold ${NAMES.join(", ")} alone, but holds ${JSON.stringify(name)}.`,
      );
    }
  }
  try {
    resolveDecodingOptions({ ...choice, languageModel: undefined });
  } catch (error) {
    throw error instanceof ConfigurationError ? new ConfigurationError(`${path}: ${error.message}`) : error;
  }
  return choice;
}

/** Writes what {@link readDecodingChoice} reads. */
export async function writeDecodingChoice(path: string, choice: DecodingChoice): Promise<void> {
  const { languageModel } = choice;
  const entries = decodingEntries({
    ...choice,
    languageModel: languageModel && relative(dirname(path), languageModel),
  });
  await writeFileAtomic(path, `${JSON.stringify(entries, null, 2)}\n`);
}

/** A choice under the names of a decoding file. */
export function decodingEntries({
  languageModel,
  hotwords,
  ...choice
}: DecodingChoice): Record<string, unknown> {
  const numbers = Object.entries(NUMBERS).flatMap(([name, field]) =>
    choice[field] === undefined ? [] : [[name, choice[field]]],
  );
  return {
    ...(languageModel !== undefined && { language_model: languageModel }),
    ...Object.fromEntries(numbers),
    ...(hotwords !== undefined && hotwords.length > 0 && { hotwords }),
  };
}

/** Makes decoders of one choice: the language model is loaded once. */
export class DecoderMaker {
  private constructor(
    readonly tokenizer: CtcTokenizer,
    readonly options: DecodingOptions,
  ) {}

  /** @throws as {@link makeDecoder} */
  static async load(
    tokenizer: CtcTokenizer,
    choice: DecodingChoice,
    onNote: (text: string) => void,
  ): Promise<DecoderMaker> {
    const { languageModel, beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight } = choice;
    const options = { beamWidth, lmWeight, wordScore, unknownScore, hotwords, hotwordWeight };
    if (languageModel === undefined) return new DecoderMaker(tokenizer, options);
    const model = await loadLanguageModel(languageModel, { onNote });
    return new DecoderMaker(tokenizer, { ...options, languageModel: model });
  }

  /**
   * @param hotwords besides those of the choice
   * @throws ConfigurationError where one cannot be spelled with the vocabulary
   */
  async make(hotwords: readonly string[] = []): Promise<CtcDecoder> {
    const all = [...(this.options.hotwords ?? []), ...hotwords];
    const options = all.length > 0 ? { ...this.options, hotwords: all } : this.options;
    return await inTurns(CtcDecoder.inSteps(this.tokenizer, options));
  }
}

/**
 * The decoder that a choice describes. The event loop has its turns while words are gone through.
 *
 * @param onNote gets what is odd about it, such as a language model that shares few words with what can be spelled
 * @throws ConfigurationError where a number is out of range; UserError where the language model cannot be read
 */
export async function makeDecoder(
  tokenizer: CtcTokenizer,
  choice: DecodingChoice,
  onNote: (text: string) => void = () => {},
): Promise<CtcDecoder> {
  const maker = await DecoderMaker.load(tokenizer, choice, onNote);
  const decoder = await maker.make();
  await tellFit(maker, onNote);
  return decoder;
}

/** What is odd about the language model beside the vocabulary. */
export async function tellFit(
  { tokenizer, options }: DecoderMaker,
  onNote: (text: string) => void,
): Promise<void> {
  if (options.languageModel === undefined) return;
  const { problem, remark } = await inTurns(languageModelFitInSteps(tokenizer, options.languageModel));
  const note = problem ?? remark;
  if (note !== undefined) onNote(note);
}
