import { extname } from "node:path";
import { firstLines } from "./first-lines.js";
import { hasAudioColumn } from "./manifest-columns.js";
import { isFairseq } from "./manifest-fairseq.js";
import { firstJsonNames, isJsonName } from "./manifest-json.js";
import { isTableOfAudio } from "./table-form.js";

/** Of what is written. */
export const MANIFEST_ENDINGS = [".jsonl", ".csv", ".tsv"];

/** Endings of manifests in a directory, whose splits they are. */
const ENDINGS = [...MANIFEST_ENDINGS, ".json"];
/** Those of lists that are read where they are named. */
const LIST_ENDINGS = [".txt", ".lst", ".list"];

export function isManifestName(name: string): boolean {
  return ENDINGS.includes(extname(name).toLowerCase());
}

/** Whether a file is read as a manifest where it is named itself. */
export function isNamedManifest(path: string): boolean {
  return isManifestName(path) || LIST_ENDINGS.includes(extname(path).toLowerCase());
}

/** Whether a file with a manifest's ending is one, by its first rows: corpora have tables of other things too. */
export async function isManifest(path: string): Promise<boolean> {
  if (isJsonName(path)) return hasAudioColumn(await firstJsonNames(path));
  const [first = "", second] = await firstLines(path);
  return isFairseq(first, second) || isTableOfAudio(path, first);
}
