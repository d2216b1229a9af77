import { graphemes } from "../../unicode/unicode-forms.js";
import { hasUnspacedScript } from "../unspaced-scripts.js";

/** Characters a word, on average, from which on a text's words are none: of scripts written without spaces, and of others. */
const LONG = { unspaced: 8, spaced: 30 };

/**
 * How many references have no spaces between their words, as Japanese, Chinese or Thai, where most do; 0 where fewer. A word error
 * rate then counts sentences: one wrong character makes all of one wrong.
 */
export function wholeSentences(references: readonly string[]): number {
  const count = references.filter(isUndivided).length;
  return 2 * count > references.length ? count : 0;
}

/** Whether a text has no spaces between its words. */
export function isUndivided(text: string): boolean {
  const words = text.split(/\s+/).filter(Boolean);
  const characters = words.reduce((sum, word) => sum + graphemes(word).length, 0);
  return (
    words.length > 0 && characters / words.length >= (hasUnspacedScript(text) ? LONG.unspaced : LONG.spaced)
  );
}

/** What there is to say of that. */
export function wholeSentencesNote(count: number, of: number): string {
  return `WER counts whole sentences: ${count} of ${of} references have no spaces between words. Go by CER.`;
}
