import type { Steps } from "../../../in-turns.js";
import { type Automaton, BEGIN_WORD, END_WORD, UNKNOWN_WORDS } from "./automaton.js";
import { NgramTable } from "./ngram-table.js";
import { StateTable } from "./state-table.js";
import { UnigramTable } from "./unigram-table.js";
import { WordTableBuilder } from "./word-table.js";

/** Slots of the table of n-grams that are gone through in one step. */
const SLOTS = 2 ** 14;

/** log10 P(<unk>) of a model that has none, as KenLM takes it. */
const UNKNOWN_MISSING = -100;

/**
 * Makes the automaton of n-grams that come order by order, in memory that its counts tell before: nothing else of them
 * is kept.
 */
export class AutomatonBuilder {
  readonly #counts: readonly number[];
  readonly #words: WordTableBuilder;
  readonly #unigrams: UnigramTable;
  readonly #states: StateTable;
  readonly #ngrams: NgramTable;
  /** The first state of each order, and behind the last. */
  readonly #firstStates: number[];
  #nextState: number;

  /**
   * @param counts n-grams of each order, unigrams first
   * @throws RangeError where there is not enough memory for them
   */
  constructor(counts: readonly number[]) {
    this.#counts = counts;
    const order = counts.length;
    const unigrams = counts[0]! + 1; // for <unk>, which the model may not have
    this.#words = new WordTableBuilder(counts[0]!);
    this.#unigrams = UnigramTable.ofSize(unigrams);
    this.#firstStates = [0, 1];
    for (let n = 1, states = 1; n < order; n++) {
      states += n === 1 ? unigrams : counts[n - 1]!;
      this.#firstStates.push(states);
    }
    this.#nextState = this.#firstStates[2] ?? 1;
    this.#states = StateTable.ofSize(this.#firstStates.at(-1)!);
    this.#ngrams = NgramTable.ofCapacity(counts.slice(1).reduce((sum, count) => sum + count, 0));
  }

  get words(): WordTableBuilder {
    return this.#words;
  }

  /**
   * The next word, in bytes[start, end).
   *
   * @returns whether it was not there yet
   */
  addUnigram(
    bytes: Uint8Array,
    start: number,
    end: number,
    logProbability: number,
    backoff: number,
  ): boolean {
    const word = this.#words.size;
    if (!this.#words.add(bytes, start, end)) return false;
    this.#setUnigram(word, logProbability, backoff);
    return true;
  }

  /** Corrects a word that is there. */
  setUnigram(word: string, logProbability: number, backoff: number): void {
    const bytes = new TextEncoder().encode(word);
    this.#setUnigram(this.#words.find(bytes, 0, bytes.length), logProbability, backoff);
  }

  #setUnigram(word: number, logProbability: number, backoff: number): void {
    this.#unigrams.set(word, logProbability);
    if (this.#counts.length > 1) this.#states.setBackoff(1 + word, backoff);
  }

  /**
   * The next n-gram of `order` words, which are the first ones of `words`; its context must be there before.
   *
   * @param backoff 0 in the highest order
   */
  addNgram(
    order: number,
    words: ArrayLike<number>,
    logProbability: number,
    backoff: number,
  ): "added" | "twice" | "without context" {
    let context = 1 + words[0]!;
    for (let i = 1; i < order - 1; i++) {
      const at = this.#ngrams.find(context, words[i]!);
      if (at < 0) return "without context";
      context = this.#ngrams.next(at);
    }
    const state = order < this.#counts.length ? this.#nextState : 0;
    if (!this.#ngrams.add(context, words[order - 1]!, logProbability, state)) return "twice";
    this.#states.noteExtension(context, words[order - 1]!);
    if (state > 0) this.#states.setBackoff(this.#nextState++, backoff);
    return "added";
  }

  /** In steps: the automaton, or the word that a model must have and this one has not. */
  *finish(): Steps<Automaton | { missing: string }> {
    const words = this.#words.finish();
    const [beginWord, endWord] = [words.find(BEGIN_WORD), words.find(END_WORD)];
    if (beginWord < 0) return { missing: BEGIN_WORD };
    if (endWord < 0) return { missing: END_WORD };
    let unknownWord = UNKNOWN_WORDS.map((word) => words.find(word)).find((id) => id >= 0);
    if (unknownWord === undefined) {
      unknownWord = words.size;
      this.#unigrams.set(unknownWord, UNKNOWN_MISSING);
    }
    yield* this.#link();
    return {
      order: this.#counts.length,
      counts: [words.size, ...this.#counts.slice(1)],
      words,
      beginWord,
      endWord,
      unknownWord,
      unigrams: this.#unigrams,
      states: this.#states,
      ngrams: this.#ngrams,
    };
  }

  /** Lets all that lead to contexts that do not matter lead to those that do, the short ones first. */
  *#link(): Steps<void> {
    const [unigrams, states, ngrams] = [this.#unigrams, this.#states, this.#ngrams];
    const order = this.#counts.length;
    if (order > 1)
      for (let word = 0; word < this.#words.size; word++)
        if (states.matters(1 + word)) unigrams.setNext(word, 1 + word);
    const behind = (context: number, word: number): number => {
      for (let state = context; state !== 0; state = states.shorter(state)) {
        const at = states.mayExtend(state, word) ? ngrams.find(state, word) : -1;
        if (at >= 0) return ngrams.next(at);
      }
      return unigrams.next(word);
    };
    const visit = (at: number, context: number, word: number): void => {
      const own = ngrams.next(at);
      const suffix = behind(states.shorter(context), word);
      if (own !== 0) states.setShorter(own, suffix);
      if (own === 0 || !states.matters(own)) ngrams.setNext(at, suffix);
    };
    for (let n = 2; n <= order; n++)
      for (let slot = 0; slot < ngrams.slots; slot += SLOTS) {
        ngrams.forEach(this.#firstStates[n - 1]!, this.#firstStates[n]!, visit, { slot, count: SLOTS });
        yield;
      }
  }
}
