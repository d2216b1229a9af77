// How one letter may be encoded in several ways, and which of them are the same: docs/text.md states it for users.
// Everything that compares two texts or looks a word up asks here.

/** Characters of which a text has one or another for the same letter; the first stands for all. */
const ALIKE: readonly (readonly string[])[] = [
  ["'", "\u2019", "\u2018", "\u201B", "\u02BC", "\u02BB", "\u00B4", "`"], // apostrophes
  ["-", "\u2010", "\u2011"], // hyphens, one that does not break among them
  ["\u06A9", "\u0643"], // kaf: Persian, Arabic
  ["\u06CC", "\u064A"], // yeh: Persian, Arabic
  ["\u0219", "\u015F"], // Romanian s with a comma, and with the cedilla of old encodings
  ["\u0218", "\u015E"],
  ["\u021B", "\u0163"],
  ["\u021A", "\u0162"],
  ["\u03BC", "\u00B5"], // mu, and the sign micro
  // Malayalam's chillus: a code point each since Unicode 5.1, before it a letter, virama and joiner
  ["\u0D7A", "\u0D23\u0D4D\u200D"],
  ["\u0D7B", "\u0D28\u0D4D\u200D"],
  ["\u0D7C", "\u0D30\u0D4D\u200D"],
  ["\u0D7D", "\u0D32\u0D4D\u200D"],
  ["\u0D7E", "\u0D33\u0D4D\u200D"],
  ["\u0D7F", "\u0D15\u0D4D\u200D"],
];
/** Members of `ALIKE` that are several code points. */
const CHILLU = /[\u0D15\u0D23\u0D28\u0D30\u0D32\u0D33]\u0D4D\u200D/gu;
/** Thai's and Lao's vowel am as its two parts, before or behind the mark of a tone. */
const AM_IN_PARTS =
  /[\u0E48-\u0E4B]?\u0E4D[\u0E48-\u0E4B]?\u0E32|[\u0EC8-\u0ECB]?\u0ECD[\u0EC8-\u0ECB]?\u0EB2/gu;
/** The same letter by its place in the word: text holds both, and none is another way to write the other. */
const BY_PLACE: readonly (readonly string[])[] = [["\u03C3", "\u03C2"]];

const FIRST_ALIKE = new Map(ALIKE.flatMap((members) => members.map((member) => [member, members[0]!])));
const MEMBERS = new Map(
  [...ALIKE, ...BY_PLACE].flatMap((members) => members.map((member) => [member, members] as const)),
);

/**
 * Presentation forms, of full and half width, ligatures, digraphs and radicals, which NFKC takes for their letters. Of its
 * other changes none is made: they turn ² into 2 and ™ into TM.
 */
const PRESENTED =
  /[\uFF01-\uFFEE\uFB00-\uFB4F\uFB50-\uFDEF\uFE70-\uFEFC\u2F00-\u2FD5\u0132\u0133\u017F\u01C4-\u01CC\u01F1-\u01F3]/gu;
/** Letters, digits and spaces of which there is one form. */
const PLAIN = /^[A-Za-z0-9 ]*$/;

/** What is never seen and says nothing: soft hyphen, zero-width space, marks of direction, byte order mark. */
const INVISIBLE = /[\u00AD\u061C\u180E\u200B\u200E\u200F\u202A-\u202E\u2060-\u2064\u2066-\u206F\uFEFF]/gu;
/** What is not seen by itself, but may change how its neighbours look: joiners, variation selectors, the Arabic elongation. */
const UNSEEN = /\u200C|\u200D|\u0640|[\uFE00-\uFE0F]|[\u{E0100}-\u{E01EF}]/gu;

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** What a reader takes for characters: a letter with its marks, an emoji of several code points. */
export function graphemes(text: string): string[] {
  if (PLAIN.test(text)) return [...text];
  return [...segmenter.segment(text)].map(({ segment }) => segment);
}

/** A text without characters that are never seen and say nothing. */
export function withoutInvisible(text: string): string {
  return text.replace(INVISIBLE, "");
}

/**
 * A text with each letter encoded in one way, and all else as it is: composed (NFC); letters of full or half width, ligatures and
 * presentation forms as the letters that they are; one apostrophe and one hyphen; kaf, yeh, Romanian ș and ț, mu, Malayalam's chillus,
 * Thai's and Lao's am by one code point each. Case stays.
 */
export function oneForm(text: string): string {
  if (PLAIN.test(text)) return text;
  const letters = text.replace(PRESENTED, (character) => character.normalize("NFKC")).normalize("NFC");
  return withAm(letters, () => true)
    .replace(CHILLU, (character) => FIRST_ALIKE.get(character)!)
    .replace(/[^\p{N}A-Za-z ]/gu, (character) => FIRST_ALIKE.get(character) ?? character);
}

/** A text with Thai's and Lao's vowel am as one code point where `isWanted` says so of that. */
function withAm(text: string, isWanted: (am: string) => boolean): string {
  return text.replace(AM_IN_PARTS, (parts: string) => {
    const am = parts.includes("\u0E4D") ? "\u0E33" : "\u0EB3";
    return isWanted(am) ? parts.replace(/[\u0E4D\u0E32\u0ECD\u0EB2]/gu, "") + am : parts;
  });
}

/**
 * What two texts that a reader takes for the same have in common: {@link oneForm} without what is not seen, with spaces of all
 * kinds as U+0020, the final sigma as any other and i with two dots as i. To compare by, not to show.
 */
export function formKey(text: string): string {
  const seen = oneForm(withoutInvisible(text)).replace(UNSEEN, ""); // behind oneForm, which knows letters by their joiner
  return oneForm(seen.replace(/\s/gu, " ")).replaceAll("\u03C2", "\u03C3").replaceAll("i\u0307", "i");
}

/** Whether two texts are different characters that a reader takes for the same. */
export function differInFormAlone(one: string, other: string): boolean {
  return one !== other && formKey(one) === formKey(other);
}

/** How else a character may be encoded, the nearest first; "" where it is never seen. */
export function formsOf(grapheme: string): string[] {
  const one = oneForm(grapheme);
  const forms = [grapheme.normalize("NFC"), grapheme.normalize("NFD"), one, one.normalize("NFD")];
  for (const member of MEMBERS.get(one) ?? MEMBERS.get(grapheme) ?? [])
    forms.push(member, member.normalize("NFD"));
  if (/^[!-~]$/.test(one)) forms.push(String.fromCharCode(one.charCodeAt(0) + 0xfee0)); // of full width
  const seen = withoutInvisible(grapheme);
  if (seen !== grapheme) forms.push(seen);
  return [...new Set(forms)].filter((form) => form !== grapheme);
}

/**
 * A text with each character in the form that is known, where one is; others as they are.
 *
 * @param isKnown whether a character, of one code point or more, or a whole text is known
 */
export function inKnownForm(text: string, isKnown: (text: string) => boolean): string {
  if (isKnown(text)) return text;
  return graphemes(withAm(text, isKnown))
    .map((grapheme) =>
      isKnown(grapheme)
        ? grapheme
        : (formsOf(grapheme).find((form) => form === "" || isKnown(form)) ?? grapheme),
    )
    .join("");
}

/** `U+0065 U+0301` */
export function codePoints(text: string): string {
  return [...text]
    .map((character) => `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`)
    .join(" ");
}

/** The first place where two texts that differ in form alone differ: `"é" is U+00E9 here and U+0065 U+0301 there`. */
export function formDifference(
  one: string,
  other: string,
  [here, there]: readonly [here: string, there: string] = ["here", "there"],
): string {
  const [a, b] = [graphemes(one), graphemes(other)];
  const at = a.findIndex((grapheme, i) => grapheme !== b[i]);
  const pair = at < 0 ? ["", b[a.length] ?? ""] : [a[at]!, b[at] ?? ""];
  const shown = pair.find((grapheme) => formKey(grapheme).trim() !== "");
  const [first, second] = pair.map((grapheme) => codePoints(grapheme) || "nothing");
  return `${shown === undefined ? "a character that is not seen" : JSON.stringify(shown)} is ${first} ${here} and ${second} ${there}`;
}
