import type { CtcTokenizer } from "../tokenizer.js";
import { labelText } from "./label-text.js";

/** Whether words are made of tokens, as decoded text has them. */
export class Speller {
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
