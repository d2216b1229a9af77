import { UserError } from "../../../errors.js";
import { BEGIN_WORD, END_WORD, UNKNOWN_WORDS } from "../automaton/automaton.js";

/** Numbers of the words that every model has; those of the text follow in the order in which they come. */
export const UNKNOWN = 0;
export const BEGIN = 1;
export const END = 2;

/** What divides words; other white space may be part of one, as in lmplz. */
const BETWEEN_WORDS = /[\0\t\r ]+/;

/** Sentences as numbers of their words, all in one array. */
export class TokenizedText {
  /** By number. */
  readonly words: string[] = ["<unk>", BEGIN_WORD, END_WORD];
  readonly order: number;
  /** Words of the text, the marks of sentences not counted. */
  wordCount = 0;
  sentences = 0;
  readonly #ids = new Map<string, number>();
  #tokens = new Int32Array(1 << 16);
  #length = 0;

  /** @param order of the n-grams that are counted: sentences begin with one `<s>` less, and end with `</s>` */
  constructor(order: number) {
    this.order = order;
  }

  get tokens(): Int32Array {
    return this.#tokens.subarray(0, this.#length);
  }

  /**
   * A line of a text: words with spaces or tabs between them. One without words counts, as in lmplz.
   *
   * @throws UserError naming the line where it has a mark of the model's own, such as `</s>`
   */
  add(sentence: string, where: () => string): void {
    const marks = Math.max(1, this.order - 1);
    for (let i = 0; i < marks; i++) this.#push(BEGIN);
    for (const word of sentence.split(BETWEEN_WORDS)) {
      if (word === "") continue;
      let id = this.#ids.get(word);
      if (id === undefined) {
        if (word === BEGIN_WORD || word === END_WORD || word === UNKNOWN_WORDS[0])
          throw new UserError(
            `${where()}: a text must not have the model's own marks, but has ${word}. Remove it.`,
          );
        id = this.words.length;
        this.words.push(word);
        this.#ids.set(word, id);
      }
      this.#push(id);
      this.wordCount++;
    }
    this.#push(END);
    this.sentences++;
  }

  #push(id: number): void {
    if (this.#length === this.#tokens.length) {
      const larger = new Int32Array(2 * this.#length);
      larger.set(this.#tokens);
      this.#tokens = larger;
    }
    this.#tokens[this.#length++] = id;
  }
}
