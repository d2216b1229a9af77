import { alignHypotheses } from "../../text/scoring/aligned-hypotheses.js";

/** A word of the reference and what two systems recognised for it; undefined where one has none. */
export interface PairedWord {
  reference: string | undefined;
  first: string | undefined;
  second: string | undefined;
}

/** Two alignments with one reference, column by column; words that both inserted in one place share columns. */
export function pairedWords(reference: string, first: string, second: string): PairedWord[] {
  return alignHypotheses(reference, [first, second]).map(({ reference: word, hypotheses }) => ({
    reference: word,
    first: hypotheses[0],
    second: hypotheses[1],
  }));
}
