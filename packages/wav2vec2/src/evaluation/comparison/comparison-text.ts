import { formDifferencesNote } from "../../text/scoring/form-differences.js";
import { wholeSentencesNote } from "../../text/scoring/whole-sentences.js";
import type { Comparison } from "./compare.js";

/** How the two systems are called: by their models, or by their files where it is one model decoded in two ways. */
export function systemNames({ systems: [first, second] }: Comparison): [string, string] {
  if (first.model === second.model) return [first.file, second.file];
  return [first.model ?? first.file, second.model ?? second.file];
}

/** What the texts say of the word error rates. */
export function comparisonNotes({
  wholeSentences,
  formDifferences,
  utteranceCount,
}: Pick<Comparison, "wholeSentences" | "formDifferences" | "utteranceCount">): string[] {
  const forms = formDifferences.flatMap((found, i) =>
    found ? [`${i + 1}: ${formDifferencesNote(found)}`] : [],
  );
  return [...(wholeSentences > 0 ? [wholeSentencesNote(wholeSentences, utteranceCount)] : []), ...forms];
}

/** What the matched pairs say. */
export function verdict({ matchedPairs: { p, mean } }: Comparison): string {
  if (p >= 0.05) return "no significant difference";
  return `${mean < 0 ? "2" : "1"} is significantly better`;
}

export function probability(p: number): string {
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}

/** A difference of error rates, in percentage points with its sign. */
export function points(difference: number): string {
  const text = (difference * 100).toFixed(2);
  return difference > 0 ? `+${text}` : text;
}
