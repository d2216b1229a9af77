import { editDistance } from "../../data/edit-distance.js";

export interface WordErrors {
  substitutions: number;
  deletions: number;
  insertions: number;
  /** Words of the reference. */
  words: number;
}

/**
 * Word errors of one hypothesis, by a Levenshtein alignment. Where several alignments are equally short, it
 * takes the one that jiwer (https://github.com/jitsi/jiwer) takes, so that all three counts are its counts.
 * Words are what whitespace separates; case and punctuation count. Against an empty reference every word is
 * an insertion.
 */
export function wordErrors(reference: string, hypothesis: string): WordErrors {
  const words = splitWords(reference);
  const [a, b] = withoutCommonEnds(words, splitWords(hypothesis));
  const distances = distanceTable(a, b);
  const at = (i: number, j: number) => distances[i * (b.length + 1) + j]!;
  const errors: WordErrors = { substitutions: 0, deletions: 0, insertions: 0, words: words.length };
  // The order of preference is that of rapidfuzz's recover_alignment, on which jiwer stands:
  // https://github.com/rapidfuzz/rapidfuzz-cpp/blob/main/rapidfuzz/distance/Levenshtein_impl.hpp
  let i = a.length;
  let j = b.length;
  while (i > 0 && j > 0) {
    if (at(i, j) === at(i - 1, j) + 1) {
      errors.deletions++;
      i--;
    } else if (at(i, j - 1) === at(i - 1, j - 1) - 1) {
      errors.insertions++;
      j--;
    } else {
      if (a[i - 1] !== b[j - 1]) errors.substitutions++;
      i--;
      j--;
    }
  }
  errors.deletions += i;
  errors.insertions += j;
  return errors;
}

/**
 * Character errors of one hypothesis: the Levenshtein distance in code points. Spaces count as characters,
 * but runs of whitespace count as one space and none counts at the ends.
 */
export function characterErrors(
  reference: string,
  hypothesis: string,
): { errors: number; characters: number } {
  const characters = [...splitWords(reference).join(" ")];
  return {
    errors: editDistance(characters, [...splitWords(hypothesis).join(" ")]),
    characters: characters.length,
  };
}

/**
 * Errors summed over utterances. The rates are errors over reference words (characters) of all utterances
 * together. Where these are 0, the rate is the number of insertions, as in jiwer.
 */
export class ErrorRate implements WordErrors {
  substitutions = 0;
  deletions = 0;
  insertions = 0;
  words = 0;
  characterErrors = 0;
  characters = 0;

  add(reference: string, hypothesis: string): void {
    const words = wordErrors(reference, hypothesis);
    this.substitutions += words.substitutions;
    this.deletions += words.deletions;
    this.insertions += words.insertions;
    this.words += words.words;
    const { errors, characters } = characterErrors(reference, hypothesis);
    this.characterErrors += errors;
    this.characters += characters;
  }

  get wer(): number {
    return (this.substitutions + this.deletions + this.insertions) / (this.words || 1);
  }

  get cer(): number {
    return this.characterErrors / (this.characters || 1);
  }
}

function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}

function withoutCommonEnds(a: string[], b: string[]): [string[], string[]] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  const shorter = Math.min(a.length, b.length) - start;
  while (end < shorter && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

/** [a + 1, b + 1], row by row: the edit distance of every two prefixes. */
function distanceTable(a: string[], b: string[]): Uint32Array {
  const columns = b.length + 1;
  const table = new Uint32Array((a.length + 1) * columns);
  for (let j = 0; j < columns; j++) table[j] = j;
  for (let i = 1; i <= a.length; i++) {
    const row = i * columns;
    table[row] = i;
    for (let j = 1; j < columns; j++) {
      const substitution = table[row - columns + j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      table[row + j] = Math.min(substitution, table[row - columns + j]! + 1, table[row + j - 1]! + 1);
    }
  }
  return table;
}
