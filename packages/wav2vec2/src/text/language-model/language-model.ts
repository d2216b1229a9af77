/**
 * What makes words likely behind others, as an automaton: a state stands for all that matters of the words before, and
 * equal numbers are equal states. Probabilities are natural logarithms.
 */
export interface LanguageModel {
  /** Words of the longest n-gram: 4 looks at three words before. */
  readonly order: number;
  /** Words that it knows, without `<s>`, `</s>` and `<unk>`. */
  words(): Iterable<string>;
  /** The word's number, {@link unknownWord} for all that it does not know. */
  wordId(word: string): number;
  readonly unknownWord: number;
  /** At the beginning of a sentence. */
  readonly begin: number;
  /** Where nothing is known of the words before. */
  readonly empty: number;
  /** ln P(word | state) */
  score(state: number, word: number): number;
  /** The state behind the word. */
  next(state: number, word: number): number;
  /** ln P(end of the sentence | state) */
  end(state: number): number;
}
