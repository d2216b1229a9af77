import { UserError } from "../../errors.js";
import { graphemes } from "../../unicode/unicode-forms.js";
import { type CtcTokenizer, WRITE_PHONEMES } from "../tokenizer.js";
import { WILDCARD } from "./forced-alignment.js";
import { tokenWords } from "./token-words.js";
import type { SpelledWord } from "./word-times.js";

const STAR = "*";

/** A text and the labels that it is looked for by. */
export interface AlignableText {
  /** The text with single spaces between its words. */
  text: string;
  labels: Int32Array;
  /** Words as they are written; in a row they are the text. */
  words: SpelledWord[];
}

export interface AlignableTextOptions {
  /** What the text is of, for messages. */
  name: string;
  /**
   * Whether a character that the vocabulary lacks is looked up in upper and lower case, and left out where it is punctuation. Words
   * stay as they are written.
   */
  respell?: boolean | undefined;
}

/** A character as it is written and as the vocabulary has it; "" where it is left out. */
interface Character {
  text: string;
  form: string;
}

/**
 * The labels of a text. `*` stands for any speech, from a frame up, unless the vocabulary holds it. Where the vocabulary has no
 * word delimiter each character is a word, with what belongs to it ({@link tokenWords}). In which form letters are
 * encoded does not matter ({@link CtcTokenizer.inVocabularyForm}); words stay as they are written.
 *
 * @throws UserError where the text is empty, or naming the characters that the vocabulary lacks and what to do
 */
export function alignableText(
  tokenizer: CtcTokenizer,
  text: string,
  { name, respell = false }: AlignableTextOptions,
): AlignableText {
  const written = text.split(/\s+/).filter(Boolean);
  if (written.length === 0)
    throw new UserError(`the text of ${name} must hold a word, but is empty.`, { code: "ERR_TEXT" });
  const speller = new Speller(tokenizer, respell);
  for (const word of written) speller.add(word);
  if (speller.unknown.size > 0) throw unknownCharacters(tokenizer, [...speller.unknown], name, respell);
  if (speller.words.length === 0)
    throw new UserError(
      `the text of ${name} must hold letters that the vocabulary has, but is ${JSON.stringify(written.join(" "))}.`,
      { code: "ERR_TEXT" },
    );
  return { text: written.join(" "), labels: Int32Array.from(speller.labels), words: speller.words };
}

/** What normalizing leaves out where the vocabulary lacks it: punctuation, symbols and what formats a text. */
const LEFT_OUT = /^(?:[\p{P}\p{S}\p{Cf}]|\u{FE0F})+$/u;

class Speller {
  readonly labels: number[] = [];
  readonly words: SpelledWord[] = [];
  readonly unknown = new Set<string>();
  readonly #tokenizer: CtcTokenizer;
  readonly #respell: boolean;
  readonly #hasStar: boolean;
  readonly #known = new Map<string, boolean>();
  /** Words before the first that has labels. */
  #before = "";

  constructor(tokenizer: CtcTokenizer, respell: boolean) {
    this.#tokenizer = tokenizer;
    this.#respell = respell;
    this.#hasStar = this.#encodes(STAR);
  }

  add(word: string): void {
    const { delimiterId } = this.#tokenizer.vocabulary;
    const delimited = this.words.length > 0 && delimiterId !== undefined;
    const begin = this.labels.length + (delimited ? 1 : 0);
    const labels: number[] = [];
    const characters: SpelledWord["characters"][number][] = [];
    for (const part of this.#hasStar ? [word] : word.split(/(\*+)/).filter(Boolean)) {
      const first = begin + labels.length;
      if (part.startsWith(STAR) && !this.#hasStar) {
        labels.push(WILDCARD);
        characters.push({ text: part, first, behind: first + 1 });
      } else {
        const spelled = this.#spell(part, first);
        labels.push(...spelled.labels);
        characters.push(...spelled.characters);
      }
    }
    if (labels.length > 0) {
      if (delimited) this.labels.push(delimiterId);
      this.labels.push(...labels);
      const whole = { text: this.#before + word, characters };
      this.words.push(...(delimiterId === undefined ? tokenWords(whole) : [whole]));
      this.#before = "";
    } else if (this.words.length > 0) {
      this.words.at(-1)!.text += ` ${word}`; // a dash between words belongs to the one before
    } else {
      this.#before += `${word} `;
    }
  }

  #spell(part: string, begin: number): Pick<SpelledWord, "characters"> & { labels: Int32Array } {
    const { lowerCase, vocabulary } = this.#tokenizer;
    const spelled = this.#charactersOf(part);
    const labels = this.unknown.size > 0 ? new Int32Array(0) : this.#encode(spelled);
    const characters: { text: string; first: number; behind: number }[] = [];
    // A token may be several characters, and a character several tokens.
    let next = 0;
    let formEnd = 0;
    let tokenEnd = 0;
    for (const [index, label] of labels.entries()) {
      tokenEnd += vocabulary.tokens[label]!.length;
      let text = "";
      while (next < spelled.length && formEnd < tokenEnd) {
        const { text: character, form } = spelled[next++]!;
        if (form === "") continue;
        text += character;
        formEnd += (lowerCase ? form.toUpperCase() : form).length;
      }
      const [first, behind] = [begin + index, begin + index + 1];
      if (text === "" && characters.length > 0) characters.at(-1)!.behind = behind;
      else characters.push({ text, first, behind });
    }
    return { labels, characters };
  }

  #encode(characters: readonly Character[]): Int32Array {
    return this.#tokenizer.encode(characters.map(({ form }) => form).join(""));
  }

  #charactersOf(part: string): Character[] {
    if (this.#encodes(part) && this.#tokenizer.inVocabularyForm(part) === part) return plain(part);
    if (this.#tokenizer.phonemes) {
      this.unknown.add(part);
      return plain(part);
    }
    return graphemes(part).flatMap((grapheme) => this.#spelled(grapheme));
  }

  /** A user-perceived character: as the vocabulary has it, and if asked for in its case and without punctuation. */
  #spelled(grapheme: string): Character[] {
    const inForm = this.#tokenizer.inVocabularyForm(grapheme);
    if (this.#encodes(inForm))
      return inForm === grapheme ? plain(grapheme) : [{ text: grapheme, form: inForm }];
    if (!this.#respell) {
      for (const character of grapheme) if (!this.#encodes(character)) this.unknown.add(character);
      return plain(grapheme);
    }
    const form = [inForm.toUpperCase(), inForm.toLowerCase()]
      .map((cased) => this.#tokenizer.inVocabularyForm(cased))
      .find((candidate) => this.#encodes(candidate));
    if (form !== undefined) return [{ text: grapheme, form }];
    if (!LEFT_OUT.test(grapheme)) this.unknown.add(grapheme);
    return [{ text: grapheme, form: "" }];
  }

  #encodes(text: string): boolean {
    let known = this.#known.get(text);
    if (known === undefined) {
      known = canEncode(this.#tokenizer, text);
      this.#known.set(text, known);
    }
    return known;
  }
}

function plain(text: string): Character[] {
  return [...text].map((character) => ({ text: character, form: character }));
}

function canEncode(tokenizer: CtcTokenizer, text: string): boolean {
  try {
    tokenizer.encode(text);
    return true;
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

function unknownCharacters(
  tokenizer: CtcTokenizer,
  unknown: readonly string[],
  name: string,
  respell: boolean,
): UserError {
  const shown = unknown
    .slice(0, 10)
    .map((character) => JSON.stringify(character))
    .join(", ");
  const more = unknown.length > 10 ? ` and ${unknown.length - 10} more` : "";
  if (tokenizer.phonemes)
    return new UserError(
      `phonemes of the text of ${name} must be in the vocabulary, but ${shown}${more} ${unknown.length === 1 ? "is" : "are"} not. ` +
        `${WRITE_PHONEMES} Put * for what is not to be looked for.`,
      { code: "ERR_TEXT" },
    );
  const others = (character: string) =>
    [character.toUpperCase(), character.toLowerCase()].filter((other) => other !== character);
  const cased = unknown.some((character) => others(character).some((other) => canEncode(tokenizer, other)));
  const digits = unknown.some((character) => /\p{N}/u.test(character));
  const advice = digits
    ? "Write numbers as words, as they were said, or put * for what is not to be looked for"
    : respell || !(cased || unknown.some((character) => LEFT_OUT.test(character)))
      ? "Write them as the vocabulary does, or put * for what is not to be looked for"
      : `Normalize the text (--normalize)${cased ? ", which changes its case to the vocabulary's," : ""} or write it as the vocabulary does`;
  return new UserError(
    `characters of the text of ${name} must be in the vocabulary, but ${shown}${more} ${unknown.length === 1 ? "is" : "are"} not. ${advice}.`,
    { code: "ERR_TEXT" },
  );
}
