import { displayWidth, padToWidth } from "../../unicode/display-width.js";
import { graphemes } from "../../unicode/unicode-forms.js";
import { isUndivided } from "./whole-sentences.js";

/** A word of the reference beside the word that was recognised for it; one of them is missing in an insertion or deletion. */
export interface WordPair {
  reference: string | undefined;
  hypothesis: string | undefined;
}

/**
 * A little dearer than a deletion or an insertion: of alignments with as few errors, the one with most equal words
 * reads best. A power of two keeps the sums exact.
 */
const SUBSTITUTION = 1 + 2 ** -20;

/** Pairs the words of a hypothesis with those of its reference so that the fewest pairs differ. */
export function alignWords(reference: string, hypothesis: string): WordPair[] {
  const words = (text: string) => text.split(/\s+/).filter(Boolean);
  return align(words(reference), words(hypothesis));
}

/** The same to be looked at: of a reference without spaces between words the characters, since its one word says nothing. */
export function alignToRead(reference: string, hypothesis: string): WordPair[] {
  if (!isUndivided(reference)) return alignWords(reference, hypothesis);
  const characters = (text: string) => graphemes(text).filter((character) => character.trim() !== "");
  return align(characters(reference), characters(hypothesis));
}

function align(a: readonly string[], b: readonly string[]): WordPair[] {
  // cost[i][j]: of the cheapest alignment of the words from i and from j on
  const cost = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0));
  const at = (i: number, j: number): number => cost[i]?.[j] ?? Number.POSITIVE_INFINITY;
  const pairing = (i: number, j: number): number => at(i + 1, j + 1) + (a[i] === b[j] ? 0 : SUBSTITUTION);
  for (let i = a.length; i >= 0; i--) {
    for (let j = b.length; j >= 0; j--) {
      if (i === a.length && j === b.length) continue;
      cost[i]![j] = Math.min(pairing(i, j), at(i + 1, j) + 1, at(i, j + 1) + 1);
    }
  }
  const pairs: WordPair[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (at(i, j) === pairing(i, j)) pairs.push({ reference: a[i++], hypothesis: b[j++] });
    else if (at(i, j) === at(i + 1, j) + 1) pairs.push({ reference: a[i++], hypothesis: undefined });
    else pairs.push({ reference: undefined, hypothesis: b[j++] });
  }
  return pairs;
}

export function countErrors(pairs: readonly WordPair[]): number {
  return pairs.filter(({ reference, hypothesis }) => reference !== hypothesis).length;
}

/** Two lines for a fixed-width font, paired words above each other, stars where a word is missing. */
export function inColumns(pairs: readonly WordPair[]): { reference: string; hypothesis: string } {
  const row = (side: keyof WordPair, other: keyof WordPair): string =>
    pairs
      .map((pair) => {
        const width = Math.max(displayWidth(pair.reference ?? ""), displayWidth(pair.hypothesis ?? ""));
        return padToWidth(pair[side] ?? "*".repeat(displayWidth(pair[other] ?? "")), width);
      })
      .join(" ")
      .trimEnd();
  return { reference: row("reference", "hypothesis"), hypothesis: row("hypothesis", "reference") };
}
