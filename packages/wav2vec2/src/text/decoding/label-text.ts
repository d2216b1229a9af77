import type { CtcTokenizer } from "../tokenizer.js";

/** What each token adds to a word as the tokenizer decodes it: nothing for the blank, the delimiter, `<s>` and the like. */
export function labelText({ vocabulary, lowerCase }: CtcTokenizer): string[] {
  return vocabulary.tokens.map((token, id) => {
    if (id === vocabulary.blankId || id === vocabulary.delimiterId || vocabulary.isSpecial(id)) return "";
    return lowerCase ? token.toLowerCase() : token;
  });
}
