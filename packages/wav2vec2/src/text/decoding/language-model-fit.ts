import { requireArguments } from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import type { LanguageModel } from "../language-model/language-model.js";
import { LANGUAGE_MODEL } from "../language-model/language-model-kind.js";
import type { CtcTokenizer } from "../tokenizer.js";
import { TOKENIZER } from "../tokenizer-kind.js";
import { lexiconOf } from "./lexicon.js";
import { Speller } from "./speller.js";

export interface LanguageModelFit {
  /** Words that the language model knows. */
  words: number;
  /** Those of them that the vocabulary can spell; others are never recognised. */
  spelled: number;
  /** What is wrong where less than half of them can be spelled. */
  problem: string | undefined;
}

/**
 * Whether a language model is in the vocabulary's writing: same letters, same case, and words as the vocabulary divides
 * them.
 */
export function languageModelFit(tokenizer: CtcTokenizer, lm: LanguageModel): LanguageModelFit {
  requireArguments("languageModelFit", { tokenizer: [tokenizer, TOKENIZER], lm: [lm, LANGUAGE_MODEL] });
  const { words, spelled } = lexiconOf(tokenizer, lm);
  if (words === 0)
    return { words, spelled, problem: "The language model must know words, but knows none. Use another." };
  if (2 * spelled >= words) return { words, spelled, problem: undefined };
  const speller = new Speller(tokenizer);
  const lost = [...lm.words()].filter((word) => !speller.spells(word));
  const share =
    spelled === 0 ? "none of them" : `only ${spelled} of them (${((100 * spelled) / words).toFixed(1)} %)`;
  const found =
    `The ${words} words of the language model must be spelled with the model's vocabulary, but ${share} can be, ` +
    `${JSON.stringify(lost[0])} for example not.`;
  return { words, spelled, problem: `${found} ${advice(tokenizer, speller, lost)}` };
}

function advice(tokenizer: CtcTokenizer, speller: Speller, lost: readonly string[]): string {
  const upper = lost.filter((word) => speller.spells(word.toUpperCase())).length;
  const lower = lost.filter((word) => speller.spells(word.toLowerCase())).length;
  if (2 * Math.max(upper, lower) >= lost.length)
    return `It is in another case: make one of a text in ${upper >= lower ? "upper" : "lower"} case.`;
  if (tokenizer.vocabulary.delimiterId === undefined)
    return "The vocabulary has no word delimiter, so that each of its tokens is a word: make one of a text with spaces between the tokens.";
  return "Use one of the same language and writing.";
}

/** @throws UserError naming the hotword that the vocabulary cannot spell */
export function requireSpelling(tokenizer: CtcTokenizer, hotwords: readonly string[]): void {
  const speller = new Speller(tokenizer, true);
  for (const word of hotwords)
    if (!speller.spells(word)) {
      const other = [word.toUpperCase(), word.toLowerCase()].find((changed) => speller.spells(changed));
      throw new UserError(
        `hotwords must be spelled with the model's vocabulary, but ${JSON.stringify(word)} cannot be. ` +
          (other
            ? `Write ${JSON.stringify(other)}.`
            : "Leave it out or write it with letters that the model knows."),
        { code: "ERR_CONFIGURATION" },
      );
    }
}
