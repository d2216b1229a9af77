import { UserError } from "../../errors.js";
import type { Utterance } from "../utterance.js";

/** A clip with the name of what it is. */
export type Labelled<T extends Utterance = Utterance> = T & { label: string };

/** A clip that has no label. */
export interface Unlabelled {
  id: string;
  path: string;
  message: string;
}

/** What every corpus tells of a clip without being asked. */
const KNOWN = ["speaker", "chapter", "split"] as const;

/** What stands in a column of a clip's row; undefined where it is empty or not there. */
export function columnOf(utterance: Utterance, column: string): string | undefined {
  const known = KNOWN.find((name) => name === column);
  return utterance.columns?.[column] ?? (known && utterance[known]);
}

/**
 * The clips with their labels, and those without.
 *
 * @param column of the manifest; `speaker`, `chapter` and `split` are there in other layouts too
 * @param source for messages: the split or the corpus
 * @throws UserError where no clip has a label
 */
export function labelClips<T extends Utterance>(
  utterances: readonly T[],
  column: string,
  source: string,
): { labelled: Labelled<T>[]; unlabelled: Unlabelled[] } {
  const labelled: Labelled<T>[] = [];
  const unlabelled: Unlabelled[] = [];
  for (const utterance of utterances) {
    const label = columnOf(utterance, column);
    const { id, path } = utterance;
    const message = `${path}: utterance ${id} must have a label in the column '${column}', but has none.`;
    if (label === undefined || label === "") unlabelled.push({ id, path, message });
    else labelled.push({ ...utterance, label });
  }
  if (labelled.length === 0) throw noColumn(column, source, utterances[0]);
  return { labelled, unlabelled };
}

function noColumn(column: string, source: string, first: Utterance | undefined): UserError {
  const there = first?.speaker === undefined || column === "speaker" ? "" : " Its clips have speakers.";
  return new UserError(
    `Clips of ${source} must have labels in the column '${column}', but none has one, such as ${first?.id}.${there} Name the right column ` +
      "(data.label, --label), or lay the files in a directory for each label.",
  );
}

/**
 * Refuses clips without a label, or hands them on where they may be left out.
 *
 * @throws UserError naming the first, with the number of others
 */
export function requireLabels(
  unlabelled: readonly Unlabelled[],
  onBadData: "error" | "skip" | undefined,
): void {
  const [first, ...others] = unlabelled;
  if (!first || onBadData === "skip") return;
  const more = others.length === 0 ? "" : ` So have ${others.length} others.`;
  throw new UserError(`${first.message}${more} Give it one, or leave such clips out: on_bad_data: skip.`);
}

/** The labels that occur, in the order of their characters: their places are the ids of a new head. */
export function labelNames(labels: Iterable<string>): string[] {
  return [...new Set(labels)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Labels as they stand in a message. @param shown how many at most */
export function listLabels(labels: readonly string[], shown = 20): string {
  const more = labels.length > shown ? ` and ${labels.length - shown} more` : "";
  return `${labels
    .slice(0, shown)
    .map((label) => `'${label}'`)
    .join(", ")}${more}`;
}
