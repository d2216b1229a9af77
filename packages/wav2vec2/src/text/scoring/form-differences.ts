import { counted } from "../../counted.js";
import { differInFormAlone, formDifference } from "../../unicode/unicode-forms.js";
import type { WordPair } from "./aligned-words.js";

/** Words that were recognised right, but for the form in which their letters are encoded. */
export interface FormDifferences {
  count: number;
  /** The first of them. */
  reference: string;
  hypothesis: string;
}

/** Counts words of alignments that differ in form alone; undefined where none does. */
export function formDifferences(pairs: Iterable<WordPair & { count?: number }>): FormDifferences | undefined {
  let found: FormDifferences | undefined;
  for (const { reference, hypothesis, count = 1 } of pairs) {
    if (reference === undefined || hypothesis === undefined || !differInFormAlone(reference, hypothesis))
      continue;
    found ??= { count: 0, reference, hypothesis };
    found.count += count;
  }
  return found;
}

/** What there is to say of them. */
export function formDifferencesNote({ count, reference, hypothesis }: FormDifferences): string {
  return (
    `${counted(count, "error")} ${count === 1 ? "is" : "are"} of form alone, such as ${JSON.stringify(hypothesis)} for ${JSON.stringify(reference)}, where ` +
    `${formDifference(reference, hypothesis, ["in the reference", "in what was recognised"])}. ` +
    "--normalize form takes such differences away."
  );
}
