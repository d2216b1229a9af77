import { inKnownForm } from "../../../unicode/unicode-forms.js";
import type { CtcTokenizer } from "../../tokenizer.js";
import { labelText } from "../label-text.js";

/** Whether words are made of tokens, as decoded text has them. */
export class Speller {
  readonly #tokens: ReadonlySet<string>;
  readonly #longest: number;
  readonly #several: boolean;
  readonly #lowerCase: boolean;

  /** @param several whether a word may be of several tokens; default: where the vocabulary has a word delimiter */
  constructor(tokenizer: CtcTokenizer, several = tokenizer.vocabulary.delimiterId !== undefined) {
    this.#tokens = new Set(labelText(tokenizer).filter((text) => text !== ""));
    this.#longest = Math.max(0, ...[...this.#tokens].map(({ length }) => length));
    this.#several = several;
    this.#lowerCase = tokenizer.lowerCase;
  }

  /**
   * A word as decoded text has it: as it is, or else each character in the form that the tokens have (`inKnownForm`), and ß as
   * ss where the tokenizer changes case. Undefined where the tokens cannot spell it.
   */
  spelling(word: string): string | undefined {
    if (this.spells(word)) return word;
    const spelled = inKnownForm(word, (part) => this.#fills(part));
    if (this.spells(spelled)) return spelled;
    if (!this.#lowerCase || word !== word.toLowerCase()) return undefined;
    const folded = spelled.toUpperCase().toLowerCase();
    return this.spells(folded) ? folded : undefined;
  }

  spells(word: string): boolean {
    return this.#several ? this.#fills(word) : this.#tokens.has(word);
  }

  /** Whether tokens fill a text up. */
  #fills(word: string): boolean {
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
