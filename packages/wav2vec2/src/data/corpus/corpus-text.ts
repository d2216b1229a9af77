import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { UserError } from "../../errors.js";
import { notUtf8 } from "../../files/text-encoding.js";
import { unreadable } from "../../files/unreadable.js";

// Longer than any transcript of speech or any row of a manifest: such a "line" is no text.
const MAX_LINE = 2 ** 20;
const BLOCK = 2 ** 20;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;

/** A line of a text file, or what is wrong with it. */
export interface Line {
  /** Counted from 1. */
  number: number;
  text: string;
  /** Ends a sentence that begins with file and line; the text is empty then. */
  problem?: string;
}

/** What keeps a transcript from being one, as the end of a sentence; undefined where it is fine. */
export function invalidText(text: string): string | undefined {
  if (text.includes("\0")) return "must be text, but holds a NUL character.";
  if (text.length > MAX_LINE) return `must be at most ${MAX_LINE} characters, but is longer.`;
  return undefined;
}

/** Words with one space between them. */
export function collapseSpaces(text: string): string {
  const trimmed = text.trim();
  return /\s\s|[^\S ]/.test(trimmed) ? trimmed.replace(/\s+/g, " ") : trimmed;
}

/**
 * Reads a small UTF-8 file, without its byte order mark.
 *
 * Synchronous: a corpus has thousands of them, and an asynchronous read costs ten times as much.
 * @throws UserError naming the file where it cannot be read or is not UTF-8
 */
export function readTextFile(path: string, expected: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw unreadable(path, expected, error);
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UserError(`${path} ${notUtf8(path, bytes)}`);
  }
}

/**
 * Reads a UTF-8 file line by line, a list of lines a block of the file, so that its size does not matter. The byte
 * order mark and line ends, LF or CRLF, are left out.
 * @throws UserError naming the file where it cannot be read
 */
export async function* readLines(path: string): AsyncGenerator<Line[]> {
  try {
    await using file = await open(path);
    let number = 0;
    let rest: Uint8Array = new Uint8Array(0);
    let overlong = false; // the beginning of this line was dropped
    for (;;) {
      const block = Buffer.allocUnsafe(rest.length + BLOCK);
      block.set(rest);
      const { bytesRead } = await file.read(block, rest.length, BLOCK);
      const bytes = block.subarray(0, rest.length + bytesRead);
      const atEnd = bytesRead === 0;
      const end = atEnd ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
      const lines: Line[] = [];
      for (let at = 0; at < end; ) {
        const newline = bytes.indexOf(NEWLINE, at);
        const stop = newline < 0 ? bytes.length : newline;
        number++;
        const line = bytes.subarray(at, stop);
        lines.push(overlong ? tooLong(number) : decodeLine(line, number, path));
        overlong = false;
        at = stop + 1;
      }
      if (lines.length > 0) yield lines;
      if (atEnd) {
        if (overlong) yield [tooLong(number + 1)];
        return;
      }
      rest = bytes.subarray(end);
      if (rest.length > MAX_LINE) {
        overlong = true;
        rest = new Uint8Array(0);
      }
    }
  } catch (error) {
    if (error instanceof Error && "syscall" in error) throw unreadable(path, "a text file", error);
    throw error;
  }
}

function tooLong(number: number): Line {
  return { number, text: "", problem: `must be at most ${MAX_LINE} bytes, but is longer.` };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeLine(bytes: Uint8Array, number: number, path: string): Line {
  if (bytes.length > MAX_LINE) return tooLong(number);
  const line = bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes;
  let text: string;
  try {
    text = utf8.decode(line);
  } catch {
    return { number, text: "", problem: notUtf8(path, bytes) };
  }
  if (number === 1 && text.startsWith("\ufeff")) text = text.slice(1);
  if (text.includes("\0")) return { number, text: "", problem: "must be text, but holds a NUL character." };
  return { number, text };
}
