import type { TranscribedUtterance } from "../data/utterance.js";
import type { CtcTokenizer } from "../text/tokenizer.js";
import { knownCharacters } from "./unknown-characters.js";

/**
 * References without the characters that a vocabulary without an unknown token cannot encode: the loss then is that of
 * the rest. The transcripts are compared with the whole references.
 */
export function encodable(
  utterances: readonly TranscribedUtterance[],
  tokenizer: CtcTokenizer,
): readonly TranscribedUtterance[] {
  if (tokenizer.vocabulary.unknownId !== undefined) return utterances;
  const known = knownCharacters(tokenizer);
  return utterances.map((each) => ({
    ...each,
    text: [...tokenizer.inVocabularyForm(each.text)].filter((character) => known.has(character)).join(""),
  }));
}
