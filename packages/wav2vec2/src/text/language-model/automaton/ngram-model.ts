import { UserError } from "../../../errors.js";
import type { LanguageModel } from "../language-model.js";
import { type Automaton, BEGIN_WORD, END_WORD, UNKNOWN_WORDS } from "./automaton.js";

/**
 * An n-gram model of Katz's form, with what its back-offs say where an n-gram is not in it:
 * P(w | h) = p(h w), where h w is one of its n-grams, else b(h) P(w | h without its first word).
 */
export class NgramModel implements LanguageModel {
  readonly order: number;
  readonly unknownWord: number;
  readonly begin: number;
  readonly empty = 0;
  readonly automaton: Automaton;
  // What the decoder asks the state behind, it has just asked the probability of: both are one look-up.
  #lastState = -1;
  #lastWord = -1;
  #lastNext = 0;

  constructor(automaton: Automaton) {
    this.automaton = automaton;
    this.order = automaton.order;
    this.unknownWord = automaton.unknownWord;
    this.begin = automaton.unigrams.next(automaton.beginWord);
  }

  *words(): Generator<string> {
    const { words } = this.automaton;
    for (let id = 0; id < words.size; id++) {
      const word = words.word(id);
      if (!isSpecial(word)) yield word;
    }
  }

  wordId(word: string): number {
    if (isSpecial(word)) return this.unknownWord;
    const id = this.automaton.words.find(word);
    return id < 0 ? this.unknownWord : id;
  }

  score(state: number, word: number): number {
    return this.#logProbability(state, word) * Math.LN10;
  }

  next(state: number, word: number): number {
    if (state !== this.#lastState || word !== this.#lastWord) this.#logProbability(state, word);
    return this.#lastNext;
  }

  end(state: number): number {
    return this.#logProbability(state, this.automaton.endWord) * Math.LN10;
  }

  /** log10 P(word | state) */
  #logProbability(state: number, word: number): number {
    const { ngrams, states, unigrams } = this.automaton;
    this.#lastState = state;
    this.#lastWord = word;
    let weight = 0;
    for (let context = state; context !== 0; ) {
      if (states.mayExtend(context, word)) {
        const at = ngrams.find(context, word);
        if (at >= 0) {
          this.#lastNext = ngrams.next(at);
          return weight + ngrams.logProbability(at);
        }
      }
      weight += states.backoff(context);
      const shorter = states.shorter(context);
      // A damaged file must not lead in circles.
      if (!(shorter < context)) throw damaged();
      context = shorter;
    }
    this.#lastNext = unigrams.next(word);
    return weight + unigrams.logProbability(word);
  }
}

function isSpecial(word: string): boolean {
  return word.startsWith("<") && (word === BEGIN_WORD || word === END_WORD || UNKNOWN_WORDS.includes(word));
}

function damaged(): UserError {
  return new UserError(
    "The compiled language model must be whole, but is damaged. 'wav2vec2 lm info' checks the file; make it anew.",
    { code: "ERR_LANGUAGE_MODEL" },
  );
}
