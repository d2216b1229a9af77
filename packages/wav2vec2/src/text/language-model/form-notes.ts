import { counted } from "../../counted.js";
import { codePoints, formDifference, formKey } from "../../unicode/unicode-forms.js";
import { describeSeveral, WrittenForms } from "../../unicode/written-forms.js";

/** Letters that are named. */
const SHOWN = 5;

/**
 * Words of a text that a list of words leaves out, though it has them in another form.
 *
 * @param listed the only words that a model is to have
 */
export function leftOutNote(words: Iterable<string>, listed: ReadonlySet<string>): string | undefined {
  const forms = new Map([...listed].map((word) => [formKey(word), word]));
  const lost = [...words].filter((word) => !listed.has(word) && forms.has(formKey(word)));
  const [first] = lost;
  if (first === undefined) return undefined;
  return (
    `${counted(lost.length, "word")} of the text ${lost.length === 1 ? "is" : "are"} left out, since --vocabulary has ${lost.length === 1 ? "it" : "them"} in another form, such as ` +
    `${JSON.stringify(first)}: ${formDifference(first, forms.get(formKey(first))!)}.`
  );
}

/**
 * What the words of a text say of how it is encoded: a letter in several ways makes two words of one, and a space that does not
 * break a word of two.
 */
export function formNotes(words: Iterable<string>): string[] {
  const forms = new WrittenForms();
  const spaced: string[] = [];
  for (const word of words) {
    forms.add(word, JSON.stringify(word));
    if (/\s/.test(word)) spaced.push(word);
  }
  const several = forms.several();
  const more = several.length > SHOWN ? `; ${several.length - SHOWN} other letters too` : "";
  const shown = several.slice(0, SHOWN).map((each) => describeSeveral(each, "word"));
  const notes: string[] = [];
  if (several.length > 0)
    notes.push(
      `${shown.join("; ")}${more}. Words that differ in form alone are several to a language model: bring the text into one form, such as NFC.`,
    );
  const [first] = spaced;
  if (first !== undefined)
    notes.push(
      `${counted(spaced.length, "word")} ${spaced.length === 1 ? "has" : "have"} a space within that is not U+0020, such as ${JSON.stringify(first)} ` +
        `(${codePoints(/\s/.exec(first)![0])}), and ${spaced.length === 1 ? "is" : "are"} never recognised: write U+0020.`,
    );
  return notes;
}
