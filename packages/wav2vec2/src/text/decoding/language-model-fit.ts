import { UserError } from "../../errors.js";
import type { LanguageModel } from "../language-model/language-model.js";
import type { CtcTokenizer } from "../tokenizer.js";
import { labelText } from "./label-text.js";

export interface LanguageModelFit {
  /** Words that the language model knows. */
  words: number;
  /** Those of them that the vocabulary can spell; others are never heard. */
  spelled: number;
  /** What is wrong where less than half of them can be spelled. */
  problem: string | undefined;
}

/**
 * Whether a language model is in the vocabulary's writing: same letters, same case, and words as the vocabulary divides
 * them.
 */
export function languageModelFit(tokenizer: CtcTokenizer, lm: LanguageModel): LanguageModelFit {
  const speller = new Speller(tokenizer);
  const cases = { upper: 0, lower: 0 };
  let [words, spelled] = [0, 0];
  let lost: string | undefined;
  for (const word of lm.words()) {
    words++;
    if (speller.spells(word)) spelled++;
    else {
      lost ??= word;
      if (speller.spells(word.toUpperCase())) cases.upper++;
      if (speller.spells(word.toLowerCase())) cases.lower++;
    }
  }
  if (words === 0)
    return { words, spelled, problem: "The language model must know words, but knows none. Use another." };
  if (2 * spelled >= words) return { words, spelled, problem: undefined };
  const share =
    spelled === 0 ? "none of them" : `only ${spelled} of them (${((100 * spelled) / words).toFixed(1)} %)`;
  const found =
    `The ${words} words of the language model must be spelled with the model's vocabulary, but ${share} can be, ` +
    `${JSON.stringify(lost)} for example not.`;
  return { words, spelled, problem: `${found} ${advice(tokenizer, cases, words)}` };
}

function advice(tokenizer: CtcTokenizer, cases: { upper: number; lower: number }, words: number): string {
  if (2 * Math.max(cases.upper, cases.lower) >= words)
    return `It is in another case: make one of a text in ${cases.upper >= cases.lower ? "upper" : "lower"} case.`;
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
      );
    }
}

/** Whether words are made of tokens, as decoded text has them. */
class Speller {
  readonly #tokens: ReadonlySet<string>;
  readonly #longest: number;
  readonly #several: boolean;

  /** @param several whether a word may be of several tokens; default: where the vocabulary has a word delimiter */
  constructor(tokenizer: CtcTokenizer, several = tokenizer.vocabulary.delimiterId !== undefined) {
    this.#tokens = new Set(labelText(tokenizer).filter((text) => text !== ""));
    this.#longest = Math.max(0, ...[...this.#tokens].map(({ length }) => length));
    this.#several = several;
  }

  spells(word: string): boolean {
    if (!this.#several) return this.#tokens.has(word);
    const reached = [true]; // whether tokens fill the word up to each place
    for (let end = 1; end <= word.length; end++) {
      let good = false;
      for (let start = Math.max(0, end - this.#longest); start < end && !good; start++)
        good = reached[start]! && this.#tokens.has(word.slice(start, end));
      reached.push(good);
    }
    return word !== "" && reached[word.length]!;
  }
}
