import { nearest } from "@wav2vec2/libtorch/nearest";
import { describeType } from "../../describe-type.js";
import { ConfigurationError } from "../../errors.js";
import { formKey } from "../../unicode/unicode-forms.js";

/** What may be taken away from a text before it is compared; nothing is unless it is asked for. */
export const TEXT_NORMALIZATIONS = ["case", "punctuation", "form"] as const;
/** `case:tr` is case as in Turkish; the language by its BCP 47 tag. */
export type NamedNormalization = (typeof TEXT_NORMALIZATIONS)[number] | `case:${string}`;
/** A step of making texts comparable: one that has a name, or a function of the text. */
export type TextNormalization = NamedNormalization | ((text: string) => string);

/** A letter, a digit, or a mark on either. */
const WORD_CHARACTER = "[\\p{L}\\p{N}\\p{M}]";
const INNER_APOSTROPHE = new RegExp(`(?<=${WORD_CHARACTER})['’](?=${WORD_CHARACTER})`, "gu");
const PUNCTUATION = /(?!')[\p{P}\p{S}]/gu;
const OUTER_APOSTROPHE = new RegExp(`(?<!${WORD_CHARACTER})'|'(?!${WORD_CHARACTER})`, "gu");

const NAMED: Readonly<Record<(typeof TEXT_NORMALIZATIONS)[number], (text: string) => string>> = {
  case: (text) => text.toLowerCase(),
  punctuation: (text) =>
    text.replace(INNER_APOSTROPHE, "'").replace(PUNCTUATION, " ").replace(OUTER_APOSTROPHE, " "),
  form: formKey,
};

const CASE_OF = "case:";

/** Whether a name is one of a step, and a language in it one that the system knows. */
export function isNormalization(name: string): name is NamedNormalization {
  if ((TEXT_NORMALIZATIONS as readonly string[]).includes(name)) return true;
  if (!name.startsWith(CASE_OF)) return false;
  try {
    return Intl.Collator.supportedLocalesOf(name.slice(CASE_OF.length)).length > 0;
  } catch {
    return false; // no tag of a language
  }
}

function apply(step: TextNormalization, text: string): string {
  if (typeof step === "function") return ownStep(step, text);
  return step in NAMED
    ? NAMED[step as keyof typeof NAMED](text)
    : text.toLocaleLowerCase(step.slice(CASE_OF.length));
}

/**
 * A text for comparison. Steps are taken in their order.
 *
 * - `case`: lower case by Unicode's rules, whatever the language of the system; `case:tr` (`az`, `lt`) by those of a language,
 *   in which I is ı and İ is i.
 * - `form`: what a reader takes for the same is the same, see `formKey` (docs/text.md).
 * - `punctuation`: Unicode's categories P and S become spaces, except an apostrophe (' or ’, which become ') between
 *   letters or digits: "Don't stop – it's twenty-one!" becomes "Don't stop it's twenty one".
 * - a function: what it returns of the text.
 *
 * Runs of whitespace become one space, and none stays at the ends, where anything was asked for.
 */
export function normalizeText(text: string, steps: readonly TextNormalization[]): string {
  if (steps.length === 0) return text;
  return steps
    .reduce((changed, step) => apply(step, changed), text)
    .trim()
    .replace(/\s+/g, " ");
}

/** @throws ConfigurationError where a function gives no text */
function ownStep(step: (text: string) => string, text: string): string {
  const changed: unknown = step(text);
  if (typeof changed === "string") return changed;
  throw new ConfigurationError(
    `${normalizationName(step)} of textNormalization must return a string, but returned ${describeType(changed)}.` +
      (changed instanceof Promise ? " It must do so at once." : ""),
  );
}

/** A step as results name it. */
export function normalizationName(step: TextNormalization): string {
  return typeof step === "string" ? step : step.name || "a function";
}

/** @throws ConfigurationError where a step is neither one of the names nor a function */
export function requireNormalizations(steps: readonly TextNormalization[]): void {
  const expected = `a list of ${TEXT_NORMALIZATIONS.join(", ")}, case:LANGUAGE or functions of a text`;
  if (!Array.isArray(steps))
    throw new ConfigurationError(
      `textNormalization must be ${expected}, but is ${describeType(steps)}.` +
        (typeof steps === "function" || typeof steps === "string" ? " Give it in a list." : ""),
    );
  for (const step of steps as unknown[]) {
    if (typeof step === "function" || (typeof step === "string" && isNormalization(step))) continue;
    const meant = typeof step === "string" ? nearest(step, TEXT_NORMALIZATIONS) : undefined;
    throw new ConfigurationError(
      `textNormalization must be ${expected}, but holds ` +
        `${typeof step === "string" ? JSON.stringify(step) : describeType(step)}.` +
        (meant === undefined ? "" : ` Did you mean ${JSON.stringify(meant)}?`),
    );
  }
}
