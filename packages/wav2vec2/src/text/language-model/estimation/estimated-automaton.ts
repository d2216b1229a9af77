import { atOnce } from "../../../in-turns.js";
import type { Automaton } from "../automaton/automaton.js";
import { AutomatonBuilder } from "../automaton/automaton-builder.js";
import type { NgramEstimate } from "./kneser-ney.js";

/** The automaton of an estimated model: what reading its ARPA file would give. */
export function estimatedAutomaton(estimate: NgramEstimate): Automaton {
  const builder = new AutomatonBuilder(estimate.counts);
  const encoder = new TextEncoder();
  // Pruned words leave gaps in the numbers of the others.
  const numbers = new Int32Array(estimate.words.length);
  for (const { words, logProbability, logBackoff } of estimate.ngrams(1)) {
    const word = words[0]!;
    numbers[word] = builder.words.size;
    const bytes = encoder.encode(estimate.words[word]);
    builder.addUnigram(bytes, 0, bytes.length, logProbability, logBackoff);
  }
  for (let order = 2; order <= estimate.order; order++)
    for (const { words, logProbability, logBackoff } of estimate.ngrams(order))
      builder.addNgram(
        order,
        words.map((word) => numbers[word]!),
        logProbability,
        logBackoff,
      );
  const automaton = atOnce(builder.finish());
  if ("missing" in automaton) throw new Error(`An estimated model lacks ${automaton.missing}.`);
  return automaton;
}
