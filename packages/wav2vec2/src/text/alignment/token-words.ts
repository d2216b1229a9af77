import { graphemes } from "../../unicode/unicode-forms.js";
import type { SpelledWord } from "./word-times.js";

/** What is written behind a character and belongs to it: marks and joiners, closing punctuation. */
const BELONGS_BEFORE = /^(?!\*)(?:\u200C|\u200D|[\p{M}\p{Pe}\p{Pf}\p{Po}\p{Pd}])/u;
/** What opens brackets and quotations, and belongs to what follows. */
const BELONGS_BEHIND = /[\p{Ps}\p{Pi}]$/u;

/**
 * The words of a text that has no spaces between them: each character is one, together with its marks and the punctuation
 * that belongs to it. Where longer words end a dictionary alone knows; language models and error rates of such
 * languages count characters too.
 *
 * @returns words whose texts in a row are that of `word`
 */
export function tokenWords({ text, characters }: SpelledWord): SpelledWord[] {
  const groups: SpelledWord["characters"][number][][] = [];
  for (const character of characters) {
    const before = groups.at(-1);
    const belongs =
      before !== undefined &&
      (character.text === "" ||
        BELONGS_BEFORE.test(character.text) ||
        BELONGS_BEHIND.test(before.at(-1)!.text) ||
        graphemes(before.at(-1)!.text + character.text).length === 1);
    if (belongs) before.push(character);
    else groups.push([character]);
  }
  // What no label stands for, such as punctuation that was left out, goes with the character before it.
  const starts: number[] = [];
  let at = 0;
  for (const group of groups) {
    for (const [index, character] of group.entries()) {
      const found = text.indexOf(character.text, at);
      if (index === 0) starts.push(starts.length === 0 ? 0 : Math.max(found, at));
      if (found >= 0) at = found + character.text.length;
    }
  }
  return groups.map((group, i) => ({ text: text.slice(starts[i], starts[i + 1]), characters: group }));
}
