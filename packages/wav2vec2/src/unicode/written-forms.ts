import { counted } from "../counted.js";
import { codePoints, graphemes, oneForm, withoutInvisible } from "./unicode-forms.js";

/** A letter that texts encode in several ways. */
export interface SeveralForms {
  /** As a reader sees it. */
  letter: string;
  /** Most frequent first. */
  forms: {
    text: string;
    /** How many texts have it, and one of them. */
    texts: number;
    example: string;
  }[];
}

/** A character that stands for several letters: `ﬁ`. */
export interface SpelledOut extends Form {
  character: string;
  /** As they are written one by one. */
  letters: string;
}

interface Form {
  texts: number;
  example: string;
}

/** Counts in which ways the letters of many texts are encoded. */
export class WrittenForms {
  readonly #letters = new Map<string, Map<string, Form>>();
  /** Letters of graphemes met so far. */
  readonly #letterOf = new Map<string, string>();
  readonly #several = new Map<string, SpelledOut>();
  #invisible: Form | undefined;
  #composed = 0;
  #decomposed = 0;

  /** @param name what the text is of, for messages */
  add(text: string, name: string): void {
    if (withoutInvisible(text) !== text) {
      this.#invisible ??= { texts: 0, example: name };
      this.#invisible.texts++;
    }
    for (const grapheme of new Set(graphemes(text))) this.#count(grapheme, name);
  }

  #count(grapheme: string, example: string): void {
    const letter = this.#letterOf.get(grapheme) ?? oneForm(withoutInvisible(grapheme));
    this.#letterOf.set(grapheme, letter);
    if (letter === "") return;
    if (graphemes(letter).length > 1) this.#countSeveral(grapheme, letter, example);
    if (grapheme.normalize("NFC") !== grapheme.normalize("NFD"))
      grapheme === grapheme.normalize("NFC") ? this.#composed++ : this.#decomposed++;
    const forms = this.#letters.get(letter) ?? new Map<string, Form>();
    this.#letters.set(letter, forms);
    const form = forms.get(grapheme);
    if (form) form.texts++;
    else forms.set(grapheme, { texts: 1, example });
  }

  #countSeveral(character: string, letters: string, example: string): void {
    const several = this.#several.get(character);
    if (several) several.texts++;
    else this.#several.set(character, { character, letters, texts: 1, example });
  }

  /** Characters that stand for letters which the texts have one by one as well, such as a ligature; those of most texts first. */
  spelledOut(): SpelledOut[] {
    const isWritten = (letter: string) => this.#letters.has(letter);
    return [...this.#several.values()]
      .filter(({ letters }) => graphemes(letters).every(isWritten))
      .sort((a, b) => b.texts - a.texts || (a.character < b.character ? -1 : 1));
  }

  /** Letters that are encoded in more than one way, those of most texts first. */
  several(): SeveralForms[] {
    return [...this.#letters]
      .filter(([, forms]) => forms.size > 1)
      .map(([letter, forms]) => ({
        letter,
        forms: [...forms]
          .map(([text, { texts, example }]) => ({ text, texts, example }))
          // Of forms that are as frequent the one that texts are mostly exchanged in.
          .sort((a, b) => b.texts - a.texts || Number(b.text === letter) - Number(a.text === letter)),
      }))
      .sort((a, b) => rarer(b) - rarer(a) || (a.letter < b.letter ? -1 : 1));
  }

  /** Texts with characters that are never seen, such as a soft hyphen, and one of them. */
  get invisible(): Readonly<Form> | undefined {
    return this.#invisible;
  }

  /**
   * Brings texts like these into one form: that which is the most frequent, without characters that are never seen.
   * Undefined where nothing is to be done.
   */
  unifier(): ((text: string) => string) | undefined {
    const several = this.several();
    const spelledOut = this.spelledOut();
    if (several.length === 0 && spelledOut.length === 0 && !this.#invisible) return undefined;
    const isMixed = several.some(({ forms }) =>
      forms.some(({ text }) => text !== forms[0]!.text && text.normalize() === forms[0]!.text.normalize()),
    );
    const normal = this.#decomposed > this.#composed ? "NFD" : "NFC";
    const normalized = (text: string): string => (isMixed ? text.normalize(normal) : text);
    const chosen = new Map(
      several.flatMap(({ forms }) =>
        forms.map(({ text }) => [normalized(text), normalized(forms[0]!.text)] as const),
      ),
    );
    for (const { character, letters } of spelledOut) chosen.set(normalized(character), normalized(letters));
    return (text) =>
      graphemes(normalized(withoutInvisible(text)))
        .map((grapheme) => chosen.get(grapheme) ?? grapheme)
        .join("");
  }
}

/** `ﬁ (U+FB01) stands for several letters, fi, which are also written one by one (1 clip, such as a)` */
export function describeSpelledOut(
  { character, letters, texts, example }: SpelledOut,
  noun = "clip",
): string {
  return `${character} (${codePoints(character)}) stands for several letters, ${letters}, which are also written one by one (${counted(texts, noun)}, such as ${example})`;
}

/** How many texts have a form that is not the most frequent. */
function rarer({ forms }: SeveralForms): number {
  return forms.slice(1).reduce((sum, { texts }) => sum + texts, 0);
}

const NUMBERS = ["", "one way", "two ways", "three ways", "four ways"];

/** `é is written in two ways (2 clips, such as a and b): U+00E9 in 1, U+0065 U+0301 in 1` */
export function describeSeveral({ forms }: SeveralForms, noun = "clip"): string {
  const ways = NUMBERS[forms.length] ?? `${forms.length} ways`;
  const texts = forms.reduce((sum, each) => sum + each.texts, 0);
  const examples = forms.slice(0, 2).map(({ example }) => example);
  const each = forms.map(({ text, texts: count }) => `${codePoints(text)} in ${count}`);
  return `${forms[0]!.text} is written in ${ways} (${counted(texts, noun)}, such as ${examples.join(" and ")}): ${each.join(", ")}`;
}
