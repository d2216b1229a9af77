import { alignWords, type WordPair } from "./aligned-words.js";

/** A word of the reference and what each of several hypotheses has for it; undefined where one has none. */
export interface AlignedWord {
  reference: string | undefined;
  hypotheses: (string | undefined)[];
}

/** Alignments of several hypotheses with one reference, column by column; words inserted in one place share columns. */
export function alignHypotheses(reference: string, hypotheses: readonly string[]): AlignedWord[] {
  const all = hypotheses.map((hypothesis) => slots(alignWords(reference, hypothesis)));
  const places = all[0]?.length ?? 0; // the same of all: the reference's words, and its end
  return Array.from({ length: places }, (_, place) => place).flatMap((place) => {
    const here = all.map((each) => each[place]!);
    const inserted = Math.max(...here.map((slot) => slot.inserted.length));
    const columns: AlignedWord[] = Array.from({ length: inserted }, (_, i) => ({
      reference: undefined,
      hypotheses: here.map((slot) => slot.inserted[i]),
    }));
    const { reference: word } = here[0]!;
    if (word !== undefined)
      columns.push({ reference: word, hypotheses: here.map(({ hypothesis }) => hypothesis) });
    return columns;
  });
}

/** A word of the reference, or its end, and what was recognised before and for it. */
interface Slot {
  inserted: string[];
  reference: string | undefined;
  hypothesis: string | undefined;
}

function slots(pairs: readonly WordPair[]): Slot[] {
  const found: Slot[] = [];
  let inserted: string[] = [];
  for (const { reference, hypothesis } of pairs) {
    if (reference === undefined) {
      inserted.push(hypothesis!);
    } else {
      found.push({ inserted, reference, hypothesis });
      inserted = [];
    }
  }
  return [...found, { inserted, reference: undefined, hypothesis: undefined }];
}
