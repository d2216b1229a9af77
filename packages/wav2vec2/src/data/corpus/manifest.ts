import { extname } from "node:path";
import { readLines } from "./corpus-text.js";
import { hasAudioColumn } from "./manifest-columns.js";
import { isFairseq } from "./manifest-fairseq.js";

export const MANIFEST_ENDINGS = [".jsonl", ".csv", ".tsv"];

export function isManifestName(name: string): boolean {
  return MANIFEST_ENDINGS.includes(extname(name).toLowerCase());
}

/** Whether a file with a manifest's ending is one, by its first line: corpora have tables of other things too. */
export async function isManifest(path: string): Promise<boolean> {
  const [first = "", second] = await firstLines(path);
  if (extname(path).toLowerCase() === ".jsonl") {
    try {
      return hasAudioColumn(Object.keys(JSON.parse(first) as object));
    } catch {
      return false;
    }
  }
  if (isFairseq(first, second)) return true;
  const separator = extname(path).toLowerCase() === ".tsv" ? "\t" : ",";
  return hasAudioColumn(first.split(separator).map((name) => name.trim().replace(/^"(.*)"$/, "$1")));
}

/** The first two lines that are not blank; fewer where the file is shorter. */
export async function firstLines(path: string): Promise<string[]> {
  const first: string[] = [];
  for await (const lines of readLines(path)) {
    for (const { text } of lines) if (text.trim()) first.push(text);
    if (first.length >= 2) break;
  }
  return first.slice(0, 2);
}
