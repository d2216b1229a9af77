import { UserError } from "../../errors.js";
import type { NgramModel } from "./automaton/ngram-model.js";
import type { Sentences } from "./estimation/sentences.js";

export interface Perplexity {
  sentences: number;
  /** Those of the text and an end of each sentence: what is predicted. */
  tokens: number;
  /** Words that the model does not know. */
  unknown: number;
  /** log10 of the probability of the whole text. */
  logProbability: number;
  /** A token is as hard to guess as one of so many equally likely ones, unknown words included. */
  perplexity: number;
  /** The same of all tokens but the unknown words, which are in contexts nevertheless. */
  perplexityWithoutUnknown: number;
}

/**
 * How well a model predicts sentences, each from its beginning to its end, as KenLM's `query` counts: lines without
 * words are sentences too.
 *
 * @throws UserError where there are none
 */
export async function measurePerplexity(
  model: NgramModel,
  sentences: AsyncIterable<Sentences>,
): Promise<Perplexity> {
  let [count, tokens, unknown, total, ofUnknown] = [0, 0, 0, 0, 0];
  for await (const { lines } of sentences)
    for (const line of lines) {
      let state = model.begin;
      for (const text of line.split(/\s+/)) {
        if (text === "") continue;
        const word = model.wordId(text);
        const score = model.score(state, word);
        state = model.next(state, word);
        total += score;
        tokens++;
        if (word !== model.unknownWord) continue;
        unknown++;
        ofUnknown += score;
      }
      total += model.end(state);
      tokens++;
      count++;
    }
  if (tokens === 0) throw new UserError("A text must have a line to be predicted, but is empty.");
  return {
    sentences: count,
    tokens,
    unknown,
    logProbability: total / Math.LN10,
    perplexity: Math.exp(-total / tokens),
    perplexityWithoutUnknown: Math.exp(-(total - ofUnknown) / (tokens - unknown)),
  };
}
