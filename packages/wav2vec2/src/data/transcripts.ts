import { readFile } from "node:fs/promises";
import { UserError } from "../errors.js";
import { unreadable } from "../files/unreadable.js";

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
export async function readTranscripts(path: string): Promise<TranscriptLine[]> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, "a transcript file", error);
  });
  let content: string;
  try {
    content = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path} must be UTF-8 text, but is not. Convert it with: iconv -t UTF-8 ${path}`);
  }
  const lines: TranscriptLine[] = [];
  for (const [index, line] of content.split(/\r\n|\n|\r/).entries()) {
    const [id, ...words] = line.trim().split(/\s+/);
    if (id) lines.push({ id, text: words.join(" "), line: index + 1 });
  }
  return lines;
}
