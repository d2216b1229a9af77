import { collapseSpaces, readTextFile } from "../corpus-text.js";

/** A line of a `trans.txt` file: `<utterance id> <TRANSCRIPT>`. */
export interface TranscriptLine {
  id: string;
  /** Words with one space between them; empty where the line has only an id. */
  text: string;
  /** Counted from 1. */
  line: number;
}

/**
 * Reads a LibriSpeech `trans.txt`, leaving out blank lines.
 * @throws UserError where the file cannot be read or is not UTF-8
 */
export function readTranscripts(path: string): TranscriptLine[] {
  const lines: TranscriptLine[] = [];
  for (const [index, given] of readTextFile(path, "a transcript file")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = given.trim();
    if (!line) continue;
    const gap = line.search(/\s/);
    const id = gap < 0 ? line : line.slice(0, gap);
    lines.push({ id, text: gap < 0 ? "" : collapseSpaces(line.slice(gap)), line: index + 1 });
  }
  return lines;
}
