import { counted } from "../../counted.js";
import { codePoints, formDifference, inKnownForm } from "../../unicode/unicode-forms.js";
import { describeSeveral, describeSpelledOut, WrittenForms } from "../../unicode/written-forms.js";
import type { Utterance } from "../utterance.js";
import type { Findings } from "./findings.js";

/** Characters a second. Read English has 14; nobody speaks these, so transcript and audio hardly belong together. */
const SLOWEST = 1;
const FASTEST = 40;

/**
 * What no text needs: control characters, the sign for undecodable bytes, halves of surrogate pairs and invisible
 * format characters, but for the two joiners that Persian and the languages of India are written with.
 */
const CONTROL = /[\p{Cc}\p{Cs}\uFFFD]|(?![\u200C\u200D])\p{Cf}/gu;

/**
 * What is wrong with a clip's transcript.
 * @param characters those of the vocabulary, the space among them if it has one; without, only control characters
 * are wrong
 */
export function transcriptFindings(
  { id, path, text, seconds }: Utterance,
  characters: ReadonlySet<string> | undefined,
): Findings {
  const findings: Findings = { problems: [], remarks: [] };
  if (text === undefined) return findings;
  const wrong = new Set(
    characters
      ? [...inFormOf(text, characters)].filter((character) => !characters.has(character))
      : text.match(CONTROL),
  );
  if (wrong.size > 0) {
    const list = [...wrong].map(describeCharacter).join(", ");
    findings.problems.push(
      characters
        ? {
            id,
            file: path,
            kind: "unknown-character",
            message: `transcript of ${id} must be of the vocabulary's characters, but holds ${list}.${caseHint([...wrong], characters)}`,
          }
        : {
            id,
            file: path,
            kind: "control-character",
            message: `transcript of ${id} must be plain text, but holds ${list}. Take it out.`,
          },
    );
  }
  const rate = [...text].length / seconds;
  if (rate < SLOWEST || rate > FASTEST) {
    const message =
      `${path} has ${rate.toPrecision(2)} characters a second; speech has some 15. ` +
      "Look whether audio and transcript belong together.";
    findings.remarks.push({ id, file: path, kind: "speaking-rate", message });
  }
  return findings;
}

/** `"é" (U+00E9)` */
function describeCharacter(character: string): string {
  return `${JSON.stringify(character)} (${codePoints(character)})`;
}

function inFormOf(text: string, characters: ReadonlySet<string>): string {
  return inKnownForm(text, (part) => [...part].every((character) => characters.has(character)));
}

function caseHint(wrong: readonly string[], characters: ReadonlySet<string>): string {
  if (wrong.every((character) => characters.has(character.toUpperCase()))) return " Write it in upper case.";
  return wrong.every((character) => characters.has(character.toLowerCase()))
    ? " Write it in lower case."
    : "";
}

/**
 * What the transcripts of many clips say together of how their letters are encoded: a letter in several ways, and with a vocabulary
 * letters in another way than it has.
 */
export function formRemarks(
  clips: readonly Utterance[],
  characters: ReadonlySet<string> | undefined,
): Findings["remarks"] {
  const forms = new WrittenForms();
  for (const { id, text } of clips) if (text !== undefined) forms.add(text, id);
  const ids = new Map(clips.map((clip) => [clip.id, clip]));
  const remarks = forms.several().map((several) => {
    const { id, path } = ids.get(several.forms.at(-1)!.example)!;
    const message = `${describeSeveral(several)}. A model takes them for different letters; training reads them as one.`;
    return { id, file: path, kind: "several-forms" as const, message };
  });
  for (const spelled of forms.spelledOut()) {
    const { id, path } = ids.get(spelled.example)!;
    const message = `${describeSpelledOut(spelled)}. A model takes it for a letter of its own; training reads it as these.`;
    remarks.push({ id, file: path, kind: "several-forms", message });
  }
  if (!characters) return remarks;
  const others = clips.filter(({ text }) => text !== undefined && inFormOf(text, characters) !== text);
  const [first] = others;
  if (!first) return remarks;
  const message =
    `${counted(others.length, "transcript")} ${others.length === 1 ? "has" : "have"} letters in another form than the vocabulary, such as ` +
    `${first.id}: ${formDifference(first.text!, inFormOf(first.text!, characters))}. They are read in its form.`;
  return [...remarks, { id: first.id, file: first.path, kind: "other-form", message }];
}
