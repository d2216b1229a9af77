import { type Kind, TEXTS } from "../../argument-kinds.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import type { KnownOptions } from "../../known-options.js";
import { requireOptions } from "../../known-options.js";
import type { LanguageModel } from "../language-model/language-model.js";
import { LANGUAGE_MODEL } from "../language-model/language-model-kind.js";

/**
 * How emissions become text. Names, meanings and, unless said otherwise, defaults are those of pyctcdecode:
 * https://github.com/kensho-technologies/pyctcdecode
 */
export interface DecodingOptions {
  /**
   * Prefixes kept after each frame. 1 without a language model and hotwords takes the likeliest token of each frame, as
   * Hugging Face's processor does. Default: 100 where words are scored, 16 else
   */
  beamWidth?: number | undefined;
  languageModel?: LanguageModel | undefined;
  /** Of ln P(text) by the language model; pyctcdecode's alpha. Default: 0.5 */
  lmWeight?: number | undefined;
  /** Added for each word where there is a language model: makes up for what it takes; pyctcdecode's beta. Default: 1.5 */
  wordScore?: number | undefined;
  /**
   * At most 0. Added while letters are recognised that begin no word of the language model, and, times `lmWeight` ln(10) as
   * pyctcdecode does (its `unk_score_offset`), for each word that it does not know, besides what it gives `<unk>`.
   * -Infinity allows only its words and the hotwords. Default: -10
   */
  unknownScore?: number | undefined;
  /** Words to be recognised more readily, also such that the language model does not know; of phrases each word. */
  hotwords?: readonly string[] | undefined;
  /** Added for each hotword; of a beginning of one its share. Default: 10 */
  hotwordWeight?: number | undefined;
  /**
   * No prefix goes on with a token of less ln P in a frame, but for the frame's likeliest. Default: -7 (pyctcdecode: -5);
   * -15 where unknown words are not allowed, for a misheard letter else leaves a word without a way on
   */
  tokenMinLogp?: number | undefined;
  /** At most 0. Prefixes whose score is this much below the best one's are dropped. Default: -15 (pyctcdecode: -10) */
  beamPruneLogp?: number | undefined;
}

const HOTWORDS: Kind = {
  ...TEXTS,
  must: "a list of words",
  advice: (value) => (typeof value === "string" ? "Give [word]." : TEXTS.advice?.(value)),
};

const OPTIONS = {
  beamWidth: true,
  languageModel: LANGUAGE_MODEL,
  lmWeight: true,
  wordScore: true,
  unknownScore: true,
  hotwords: HOTWORDS,
  hotwordWeight: true,
  tokenMinLogp: true,
  beamPruneLogp: true,
} satisfies KnownOptions<DecodingOptions>;

/** A hundred times what helps; more would only fill the memory. */
const MOST_PREFIXES = 100_000;

/** Options with their defaults. */
export type ResolvedDecodingOptions = {
  [Name in Exclude<keyof DecodingOptions, "languageModel">]-?: NonNullable<DecodingOptions[Name]>;
} & { languageModel: LanguageModel | undefined };

/** @throws ConfigurationError naming the option that is out of range */
export function resolveDecodingOptions(options: DecodingOptions): ResolvedDecodingOptions {
  requireOptions("decoding", options, OPTIONS);
  const hotwords = (options.hotwords ?? []).flatMap((phrase) => phrase.split(/\s+/u).filter(Boolean));
  const scoresWords = options.languageModel !== undefined || hotwords.length > 0;
  const unknownScore = options.unknownScore ?? -10;
  const onlyKnown = options.languageModel !== undefined && unknownScore === Number.NEGATIVE_INFINITY;
  const resolved = {
    beamWidth: options.beamWidth ?? (scoresWords ? 100 : 16),
    languageModel: options.languageModel,
    lmWeight: options.lmWeight ?? 0.5,
    wordScore: options.wordScore ?? 1.5,
    unknownScore,
    hotwords,
    hotwordWeight: options.hotwordWeight ?? 10,
    tokenMinLogp: options.tokenMinLogp ?? (onlyKnown ? -15 : -7),
    beamPruneLogp: options.beamPruneLogp ?? -15,
  };
  const { beamWidth, lmWeight, wordScore, hotwordWeight } = resolved;
  const require = (good: boolean, name: keyof typeof resolved, range: string) => {
    if (!good)
      throw new ConfigurationError(`${name} must be ${range}, but is ${describeValue(resolved[name])}.`);
  };
  const widths = `a whole number from 1 to ${MOST_PREFIXES.toLocaleString("en")}`;
  require(Number.isInteger(beamWidth) && beamWidth >= 1 && beamWidth <= MOST_PREFIXES, "beamWidth", widths);
  require(Number.isFinite(lmWeight) && lmWeight >= 0, "lmWeight", "a number of at least 0");
  require(Number.isFinite(wordScore), "wordScore", "a number");
  require(Number.isFinite(hotwordWeight), "hotwordWeight", "a number");
  for (const name of ["unknownScore", "tokenMinLogp", "beamPruneLogp"] as const)
    require(typeof resolved[name] === "number" && resolved[name] <= 0, name, "at most 0");
  return resolved;
}
