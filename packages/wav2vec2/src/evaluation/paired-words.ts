import { alignWords, type WordPair } from "../text/scoring/aligned-words.js";

/** A word of the reference and what two systems heard for it; undefined where one has none. */
export interface PairedWord {
  reference: string | undefined;
  first: string | undefined;
  second: string | undefined;
}

/** Two alignments with one reference, column by column; words that both inserted in one place share columns. */
export function pairedWords(reference: string, first: string, second: string): PairedWord[] {
  const [a, b] = [slots(alignWords(reference, first)), slots(alignWords(reference, second))];
  return a.flatMap((slot, index): PairedWord[] => {
    const other = b[index]!; // both have the reference's words
    const inserted = Math.max(slot.inserted.length, other.inserted.length);
    const columns = Array.from({ length: inserted }, (_, i) => ({
      reference: undefined,
      first: slot.inserted[i],
      second: other.inserted[i],
    }));
    if (slot.reference === undefined) return columns;
    return [...columns, { reference: slot.reference, first: slot.heard, second: other.heard }];
  });
}

/** A word of the reference, or its end, and what was heard before and for it. */
interface Slot {
  inserted: string[];
  reference: string | undefined;
  heard: string | undefined;
}

function slots(pairs: readonly WordPair[]): Slot[] {
  const found: Slot[] = [];
  let inserted: string[] = [];
  for (const { reference, hypothesis } of pairs) {
    if (reference === undefined) {
      inserted.push(hypothesis!);
    } else {
      found.push({ inserted, reference, heard: hypothesis });
      inserted = [];
    }
  }
  return [...found, { inserted, reference: undefined, heard: undefined }];
}
