import { closeSync, createWriteStream, fstatSync, openSync, readSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** Longer lines without an end are passed on in parts. */
const LONGEST_LINE = 1 << 16;

/** Copies a process's stream to a file and, a line at a time behind a prefix, to the terminal. */
export function tee(stream: Readable, path: string, terminal: Writable | undefined, prefix: string): void {
  const file = createWriteStream(path, { flags: "a" });
  file.on("error", () => stream.resume()); // a full disk ends no training
  let line = "";
  const show = (text: string): unknown => terminal?.write(`${prefix}${text}\n`);
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    file.write(text);
    const lines = (line + text).split("\n");
    line = lines.pop()!;
    for (const whole of lines) show(whole);
    if (line.length > LONGEST_LINE) {
      show(line);
      line = "";
    }
  });
  stream.on("error", () => {});
  stream.on("close", () => {
    if (line !== "") show(line);
    file.end();
  });
}

const TAIL_BYTES = 8_192;

/** The last lines that a file holds, none where it cannot be read. */
export function lastLines(path: string, count: number): string[] {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return [];
  }
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const read = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const lines = bytes.subarray(0, read).toString("utf8").trimEnd().split("\n");
    if (size > bytes.length) lines.shift(); // begins anywhere
    return lines.filter((line) => line !== "").slice(-count);
  } catch {
    return [];
  } finally {
    closeSync(file);
  }
}
