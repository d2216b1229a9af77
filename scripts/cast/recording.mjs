// What a command wrote to a terminal, and when: by util-linux's `script`, which gives it one.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** @typedef {{ seconds: number, text: string }} Piece written so long after the beginning */

/**
 * Runs a command in a terminal and keeps what it writes.
 *
 * @param {string} command for a shell
 * @param {string} directory gets `out` and `timing`
 * @param {{ columns: number, rows: number }} size
 * @returns {Promise<void>}
 * @throws {Error} where the command fails
 */
export async function record(command, directory, { columns, rows }) {
  mkdirSync(directory, { recursive: true });
  const files = ["-O", join(directory, "out"), "-T", join(directory, "timing")];
  const inside = `stty cols ${columns} rows ${rows}; ${command}`;
  const child = spawn("script", ["-q", "-e", "-f", "-E", "never", ...files, "-c", inside], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", done);
  });
  if (code !== 0) throw new Error(`${command} must succeed, but ended with ${code}.`);
}

/**
 * @param {string} directory of `record`
 * @returns {Piece[]} pieces that end between characters and escape sequences
 */
export function readRecording(directory) {
  for (const name of ["out", "timing"])
    if (!existsSync(join(directory, name)))
      throw new Error(`${directory} must hold a recording, but has no file '${name}'.`);
  const bytes = readFileSync(join(directory, "out"));
  let at = bytes.indexOf("\n") + 1; // behind "Script started on …"
  let seconds = 0;
  let held = Buffer.alloc(0);
  /** @type {Piece[]} */
  const pieces = [];
  for (const line of readFileSync(join(directory, "timing"), "utf8").trim().split("\n")) {
    const [pause = 0, count = 0] = line.split(" ").map(Number);
    seconds += pause;
    const piece = Buffer.concat([held, bytes.subarray(at, at + count)]);
    at += count;
    const whole = wholeLength(piece);
    held = piece.subarray(whole);
    if (whole > 0) pieces.push({ seconds, text: piece.toString("utf8", 0, whole) });
  }
  return pieces;
}

const ESCAPE = 0x1b;

/** How much of a piece ends before a character or an escape sequence that goes on in the next. @param {Buffer} piece */
function wholeLength(piece) {
  let end = piece.length;
  const begun = piece.lastIndexOf(ESCAPE);
  if (begun !== -1 && !/^\[[\d;?]*[A-Za-z]/.test(piece.toString("latin1", begun + 1))) end = begun;
  // Of UTF-8: bytes that follow begin with the bits 10, and the first tells how many they are.
  let start = end;
  while (start > 0 && end - start < 4 && ((piece[start - 1] ?? 0) & 0xc0) === 0x80) start--;
  const first = piece[start - 1] ?? 0;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return start > 0 && length > 1 && end - start + 1 < length ? start - 1 : end;
}
