import { isObject, type Kind, requireArguments, TEXT } from "../../argument-kinds.js";
import { type EditCounts, editCounts } from "./edit-counts.js";

export interface WordErrors extends EditCounts {
  /** Words of the reference. */
  words: number;
}

export interface CharacterErrors extends EditCounts {
  /** Characters of the reference. */
  characters: number;
}

/**
 * Word errors of one hypothesis, as jiwer's `process_words` counts them (`editCounts`). Words are what whitespace
 * separates; case and punctuation count. Against an empty reference every word is an insertion.
 */
export function wordErrors(reference: string, hypothesis: string): WordErrors {
  requireArguments("wordErrors", { reference: [reference, TEXT], hypothesis: [hypothesis, TEXT] });
  const words = splitWords(reference);
  return { ...editCounts(words, splitWords(hypothesis)), words: words.length };
}

/**
 * Character errors of one hypothesis, as jiwer's `process_characters` counts them: in code points, without whitespace at
 * the ends. Spaces count as characters, and two in a row, which a network may write, as two.
 */
export function characterErrors(reference: string, hypothesis: string): CharacterErrors {
  const characters = [...reference.trim()];
  return { ...editCounts(characters, [...hypothesis.trim()]), characters: characters.length };
}

/** Both, in one object. */
export interface TextErrors extends WordErrors {
  /** Characters of the reference. */
  characters: number;
  characterSubstitutions: number;
  characterDeletions: number;
  characterInsertions: number;
}

export function textErrors(reference: string, hypothesis: string): TextErrors {
  const { characters, substitutions, deletions, insertions } = characterErrors(reference, hypothesis);
  return {
    ...wordErrors(reference, hypothesis),
    characters,
    characterSubstitutions: substitutions,
    characterDeletions: deletions,
    characterInsertions: insertions,
  };
}

/** Substituted, deleted and inserted words. */
export function sumErrors({ substitutions, deletions, insertions }: EditCounts): number {
  return substitutions + deletions + insertions;
}

const ERRORS: Kind = {
  must: "errors of one utterance, such as wordErrors counts",
  holds: (value) =>
    isObject(value) && [value.substitutions, value.words].every((count) => Number.isFinite(count)),
};

/**
 * Errors summed over utterances. The rates are errors over reference words (characters) of all utterances
 * together. Where these are 0, the rate is the number of insertions, as in jiwer.
 */
export class ErrorRate implements TextErrors {
  utterances = 0;
  /** Utterances with at least one word error. */
  wrongUtterances = 0;
  words = 0;
  substitutions = 0;
  deletions = 0;
  insertions = 0;
  characters = 0;
  characterSubstitutions = 0;
  characterDeletions = 0;
  characterInsertions = 0;

  /** Of utterances that are counted already. */
  static of(utterances: Iterable<TextErrors>): ErrorRate {
    const rate = new ErrorRate();
    for (const errors of utterances) rate.addErrors(errors);
    return rate;
  }

  add(reference: string, hypothesis: string): void {
    requireArguments("add", { reference: [reference, TEXT], hypothesis: [hypothesis, TEXT] });
    this.addErrors(textErrors(reference, hypothesis));
  }

  addErrors(errors: TextErrors): void {
    requireArguments("addErrors", { errors: [errors, ERRORS] });
    this.utterances++;
    if (sumErrors(errors) > 0) this.wrongUtterances++;
    this.words += errors.words;
    this.substitutions += errors.substitutions;
    this.deletions += errors.deletions;
    this.insertions += errors.insertions;
    this.characters += errors.characters;
    this.characterSubstitutions += errors.characterSubstitutions;
    this.characterDeletions += errors.characterDeletions;
    this.characterInsertions += errors.characterInsertions;
  }

  get characterErrors(): number {
    return this.characterSubstitutions + this.characterDeletions + this.characterInsertions;
  }

  get wer(): number {
    return sumErrors(this) / (this.words || 1);
  }

  get cer(): number {
    return this.characterErrors / (this.characters || 1);
  }

  /** The share of utterances with at least one word error; 0 of none. */
  get sentenceErrorRate(): number {
    return this.wrongUtterances / (this.utterances || 1);
  }
}

function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
