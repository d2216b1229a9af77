/** What may be taken away from a text before it is compared; nothing is unless it is asked for. */
export const TEXT_NORMALIZATIONS = ["case", "punctuation"] as const;
export type TextNormalization = (typeof TEXT_NORMALIZATIONS)[number];

/** A letter, a digit, or a mark on either. */
const WORD_CHARACTER = "[\\p{L}\\p{N}\\p{M}]";
const INNER_APOSTROPHE = new RegExp(`(?<=${WORD_CHARACTER})['’](?=${WORD_CHARACTER})`, "gu");
const PUNCTUATION = /(?!')[\p{P}\p{S}]/gu;
const OUTER_APOSTROPHE = new RegExp(`(?<!${WORD_CHARACTER})'|'(?!${WORD_CHARACTER})`, "gu");

/**
 * A text for comparison.
 *
 * - `case`: lower case by Unicode's rules, whatever the language of the system.
 * - `punctuation`: Unicode's categories P and S become spaces, except an apostrophe (' or ’, which become ') between
 *   letters or digits: "Don't stop – it's twenty-one!" becomes "Don't stop it's twenty one".
 *
 * Runs of whitespace become one space, and none stays at the ends, where anything was asked for.
 */
export function normalizeText(text: string, steps: readonly TextNormalization[]): string {
  if (steps.length === 0) return text;
  let normalized = text;
  if (steps.includes("punctuation"))
    normalized = normalized
      .replace(INNER_APOSTROPHE, "'")
      .replace(PUNCTUATION, " ")
      .replace(OUTER_APOSTROPHE, " ");
  if (steps.includes("case")) normalized = normalized.toLowerCase();
  return normalized.trim().replace(/\s+/g, " ");
}
