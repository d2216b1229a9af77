import { normalizeText, type TextNormalization } from "../text/scoring/normalize-text.js";
import type { CtcTokenizer } from "../text/tokenizer.js";

/** What stands in references and can never be recognised: characters, or phonemes. */
export interface UnknownCharacters {
  /** Utterances with at least one. */
  utterances: number;
  /** Utterances with letters that the vocabulary has in another form: none where forms do not count. */
  otherForm?: number;
  /** Most frequent first. */
  characters: { character: string; count: number; example: string }[];
}

/**
 * Characters, or phonemes, of references that none of a model's tokens holds: words with one can never be right.
 *
 * @param references normalised by the same `steps`
 */
export function unknownCharacters(
  references: readonly { id: string; reference: string }[],
  tokenizer: CtcTokenizer,
  steps: readonly TextNormalization[],
): UnknownCharacters {
  const { phonemes, vocabulary } = tokenizer;
  const known = phonemes ? new Set(vocabulary.tokens) : knownCharacters(tokenizer, steps);
  // Where forms do not count, a letter of one code point may be known by two.
  const isKnown = (character: string): boolean =>
    known.has(character) ||
    (steps.includes("form") &&
      [character, character.toUpperCase()].some((cased) => tokenizer.unknownIn(cased).length === 0));
  const counts = new Map<string, { character: string; count: number; example: string }>();
  let utterances = 0;
  let otherForm = 0;
  for (const { id, reference } of references) {
    if (!steps.includes("form") && tokenizer.inVocabularyForm(reference) !== reference) otherForm++;
    const unknown = (phonemes ? reference.split(" ") : [...reference]).filter(
      (character) => !isKnown(character),
    );
    if (unknown.length > 0) utterances++;
    for (const character of unknown) {
      const counted = counts.get(character) ?? { character, count: 0, example: id };
      counted.count++;
      counts.set(character, counted);
    }
  }
  const characters = [...counts.values()];
  characters.sort((a, b) => b.count - a.count || (a.character < b.character ? -1 : 1));
  return { utterances, ...(otherForm > 0 && { otherForm }), characters };
}

/** All characters that transcripts may hold. */
export function knownCharacters(
  tokenizer: CtcTokenizer,
  steps: readonly TextNormalization[] = [],
): ReadonlySet<string> {
  const { vocabulary, wordSeparator } = tokenizer;
  const known = new Set<string>();
  for (let id = 0; id < vocabulary.size; id++)
    for (const character of normalizeText(tokenizer.decode([id], { groupTokens: false }), steps))
      known.add(character);
  // At a text's ends, where a token alone is, neither stays.
  if (vocabulary.delimiterId !== undefined) for (const character of wordSeparator) known.add(character);
  if (steps.includes("punctuation") && [..."'’"].some((mark) => vocabulary.id(mark) !== undefined))
    known.add("'");
  return known;
}
