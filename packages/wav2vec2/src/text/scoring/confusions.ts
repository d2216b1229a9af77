import type { WordPair } from "./aligned-words.js";

/** A word that another was recognised for, how often. */
export interface Confusion {
  reference: string;
  hypothesis: string;
  count: number;
}

export interface CountedWord {
  word: string;
  count: number;
}

/** Which words go wrong, most frequent first, then by code points. */
export interface Confusions {
  substitutions: Confusion[];
  deletions: CountedWord[];
  insertions: CountedWord[];
}

/**
 * Counts confused words over the alignments of many utterances (`alignWords`). They are as many as the errors, but as
 * `alignWords` prefers alignments with equal words, of which jiwer takes no account, there may be fewer
 * substitutions and more deletions and insertions among them.
 */
export function countConfusions(alignments: Iterable<readonly WordPair[]>): Confusions {
  const substitutions = new Map<string, Confusion>();
  const deletions = new Map<string, CountedWord>();
  const insertions = new Map<string, CountedWord>();
  for (const pairs of alignments) {
    for (const { reference, hypothesis } of pairs) {
      if (reference === hypothesis) continue;
      if (reference === undefined) countWord(insertions, hypothesis!);
      else if (hypothesis === undefined) countWord(deletions, reference);
      else {
        const key = `${reference} ${hypothesis}`;
        const confusion = substitutions.get(key) ?? { reference, hypothesis, count: 0 };
        confusion.count++;
        substitutions.set(key, confusion);
      }
    }
  }
  return {
    substitutions: byCount(substitutions),
    deletions: byCount(deletions),
    insertions: byCount(insertions),
  };
}

function countWord(counts: Map<string, CountedWord>, word: string): void {
  const counted = counts.get(word) ?? { word, count: 0 };
  counted.count++;
  counts.set(word, counted);
}

function byCount<T extends { count: number }>(counts: ReadonlyMap<string, T>): T[] {
  return [...counts]
    .sort(([a, { count: m }], [b, { count: n }]) => n - m || (a < b ? -1 : 1))
    .map(([, counted]) => counted);
}
