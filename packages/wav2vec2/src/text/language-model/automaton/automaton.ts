import type { NgramTable } from "./ngram-table.js";
import type { StateTable } from "./state-table.js";
import type { UnigramTable } from "./unigram-table.js";
import type { WordTable } from "./word-table.js";

/** SRILM's logarithm of zero. */
export const LOG_ZERO = -99;

/** The words by which a model marks the beginning and the end of a sentence, and all words that it does not know. */
export const BEGIN_WORD = "<s>";
export const END_WORD = "</s>";
export const UNKNOWN_WORDS: readonly string[] = ["<unk>", "<UNK>"];

/**
 * An n-gram model as an automaton. A state is a context: 0 has no words, 1 + w the word w alone, and the states behind
 * them are the n-grams of two words and more that are not of the highest order. Probabilities and back-offs are log10,
 * as ARPA files have them.
 *
 * Only contexts that matter are ever reached: those that are extended by a longer n-gram, or whose back-off is not 1.
 * What leads to another leads to its longest part that matters.
 */
export interface Automaton {
  readonly order: number;
  /** How many n-grams of each order there are, unigrams first. */
  readonly counts: readonly number[];
  readonly words: WordTable;
  readonly beginWord: number;
  readonly endWord: number;
  /** Where the model has no `<unk>`: one more than the last word. */
  readonly unknownWord: number;
  readonly unigrams: UnigramTable;
  readonly states: StateTable;
  readonly ngrams: NgramTable;
}
