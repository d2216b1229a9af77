import { readLines } from "../corpus-text.js";

/** The first two lines that are not blank; fewer where the file is shorter. */
export async function firstLines(path: string): Promise<string[]> {
  const first: string[] = [];
  for await (const lines of readLines(path)) {
    for (const { text } of lines) if (text.trim()) first.push(text);
    if (first.length >= 2) break;
  }
  return first.slice(0, 2);
}
