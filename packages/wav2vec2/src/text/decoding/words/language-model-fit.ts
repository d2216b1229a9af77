import { requireArguments } from "../../../argument-kinds.js";
import { ConfigurationError } from "../../../errors.js";
import { atOnce, type Steps } from "../../../in-turns.js";
import type { LanguageModel } from "../../language-model/language-model.js";
import { LANGUAGE_MODEL } from "../../language-model/language-model-kind.js";
import type { CtcTokenizer } from "../../tokenizer.js";
import { TOKENIZER } from "../../tokenizer-kind.js";
import { lexiconOf } from "./lexicon.js";
import { Speller } from "./speller.js";

export interface LanguageModelFit {
  /** Words that the language model knows. */
  words: number;
  /** Those of them that the vocabulary can spell; others are never recognised. */
  spelled: number;
  /** What is wrong where less than half of them can be spelled. */
  problem: string | undefined;
  /** How many can not, where that is the smaller part of them. */
  remark: string | undefined;
}

/**
 * Whether a language model is in the vocabulary's writing: same letters, same case, and words as the vocabulary divides
 * them. In which form letters are encoded does not matter.
 */
export function languageModelFit(tokenizer: CtcTokenizer, lm: LanguageModel): LanguageModelFit {
  requireArguments("languageModelFit", { tokenizer: [tokenizer, TOKENIZER], lm: [lm, LANGUAGE_MODEL] });
  return atOnce(languageModelFitInSteps(tokenizer, lm));
}

/** Words that are looked at in one step. */
const WORDS = 2 ** 11;
/** Words by which the case of the others is judged. */
const ENOUGH = 2 ** 13;

/** {@link languageModelFit} in steps. */
export function* languageModelFitInSteps(
  tokenizer: CtcTokenizer,
  lm: LanguageModel,
): Steps<LanguageModelFit> {
  const { words, spelled } = yield* lexiconOf(tokenizer, lm);
  if (words === 0)
    return {
      words,
      spelled,
      problem: "The language model must know words, but knows none. Use another.",
      remark: undefined,
    };
  if (spelled === words) return { words, spelled, problem: undefined, remark: undefined };
  const speller = new Speller(tokenizer);
  const lost: string[] = [];
  const mostly = 2 * spelled >= words; // one example is enough then
  let seen = 0;
  for (const word of lm.words()) {
    if (++seen % WORDS === 0) yield;
    if (speller.spelling(word) === undefined) lost.push(word);
    if (lost.length === (mostly ? 1 : ENOUGH)) break;
  }
  if (mostly) {
    const remark =
      `${words - spelled} of the ${words} words of the language model cannot be spelled with the model's vocabulary, ` +
      `${JSON.stringify(lost[0])} for example, and are never recognised.`;
    return { words, spelled, problem: undefined, remark };
  }
  const share =
    spelled === 0 ? "none of them" : `only ${spelled} of them (${((100 * spelled) / words).toFixed(1)} %)`;
  const found =
    `The ${words} words of the language model must be spelled with the model's vocabulary, but ${share} can be, ` +
    `${JSON.stringify(lost[0])} for example not.`;
  return { words, spelled, problem: `${found} ${advice(tokenizer, speller, lost)}`, remark: undefined };
}

function advice(tokenizer: CtcTokenizer, speller: Speller, lost: readonly string[]): string {
  const upper = lost.filter((word) => speller.spelling(word.toUpperCase()) !== undefined).length;
  const lower = lost.filter((word) => speller.spelling(word.toLowerCase()) !== undefined).length;
  if (2 * Math.max(upper, lower) >= lost.length)
    return `It is in another case: make one of a text in ${upper >= lower ? "upper" : "lower"} case.`;
  if (tokenizer.vocabulary.delimiterId === undefined)
    return "The vocabulary has no word delimiter, so that each of its tokens is a word: make one of a text with spaces between the tokens.";
  return "Use one of the same language and writing.";
}

/**
 * Hotwords as the vocabulary spells them: in its form of each letter.
 *
 * @throws ConfigurationError naming the hotword that the vocabulary cannot spell
 */
export function* spelledHotwords(tokenizer: CtcTokenizer, hotwords: readonly string[]): Steps<string[]> {
  const speller = new Speller(tokenizer, true);
  const found: string[] = [];
  for (const [index, word] of hotwords.entries()) {
    if (index % WORDS === WORDS - 1) yield;
    found.push(speller.spelling(word) ?? refuseHotword(speller, word));
  }
  return found;
}

function refuseHotword(speller: Speller, word: string): never {
  const other = [word.toUpperCase(), word.toLowerCase()]
    .map((changed) => speller.spelling(changed))
    .find((changed) => changed !== undefined);
  throw new ConfigurationError(
    `hotwords must be spelled with the model's vocabulary, but ${JSON.stringify(word)} cannot be. ` +
      (other
        ? `Write ${JSON.stringify(other)}.`
        : "Leave it out or write it with letters that the model knows."),
  );
}
