import { createHash } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { makeDirectory } from "../../../files/make-directory.js";
import type { EventLoopTurns } from "../corpus-turns.js";

export { defaultCache } from "@wav2vec2/libtorch/places";

/** What is known of an audio file from its header, and the file's state when it was read. */
export interface AudioHeader {
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  modified: number;
  /** Hz. */
  sampleRate: number;
  /** Samples a channel, at the file's rate. */
  samples: number;
  samplesAt16k: number;
}

// Raise it when lines change their meaning: an index of another version is made anew.
const VERSION = 1;
const NEWLINE = 10;
const LINES_AT_ONCE = 4096;

/**
 * @param cache directory of all indices
 * @param source real path of the directory or manifest that the index is of
 */
export function indexPath(cache: string, source: string): string {
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 16);
  return join(cache, "index", `${basename(source).slice(0, 64)}-${hash}.jsonl`);
}

/** Headers and the names of their files, in the order in which the files were asked for when it was written. */
export interface HeaderIndex {
  names: string[];
  headers: AudioHeader[];
}

/**
 * Reads an index: a line of version and source, a line `[name, size, modified, sampleRate, samples, samplesAt16k]` a
 * file, and a last line with a checksum of all before it.
 * @returns an empty one where the file is missing, damaged or another source's
 */
export async function loadIndex(path: string, source: string, turns: EventLoopTurns): Promise<HeaderIndex> {
  const index: HeaderIndex = { names: [], headers: [] };
  const bytes = await readFile(path).catch(() => Buffer.alloc(0));
  const end = bytes.lastIndexOf(NEWLINE, -2) + 1;
  const sum = createHash("sha256").update(bytes.subarray(0, end)).digest("hex");
  if (bytes.toString("utf8", end) !== lastLine(sum)) return index;
  const first = bytes.indexOf(NEWLINE) + 1;
  if (bytes.toString("utf8", 0, first) !== firstLine(source)) return index;
  for (let at = first; at < end; ) {
    if (turns.due) await turns.next();
    const stop = bytes.indexOf(NEWLINE, at) + 1;
    const line = JSON.parse(bytes.toString("utf8", at, stop)) as IndexLine;
    const [name, size, modified, sampleRate, samples, samplesAt16k] = line;
    index.names.push(name);
    index.headers.push({ size, modified, sampleRate, samples, samplesAt16k });
    at = stop;
  }
  return index;
}

type IndexLine = [
  name: string,
  size: number,
  modified: number,
  sampleRate: number,
  samples: number,
  samplesAt16k: number,
];

function firstLine(source: string): string {
  return `${JSON.stringify({ index: VERSION, source })}\n`;
}

function lastLine(sha256: string): string {
  return `${JSON.stringify({ sha256 })}\n`;
}

let writes = 0;

/**
 * Writes an index, complete or as it was before. That it cannot be written, because the directory is read-only or the
 * disk is full, is no error: the headers are read again next time. It is not flushed to the disk: one that a power
 * failure damaged is known by its checksum.
 */
export async function saveIndex(
  path: string,
  source: string,
  { names, headers }: HeaderIndex,
): Promise<void> {
  // Nobody else's: neither another process's nor that of another call here.
  const temporary = `${path}.${process.pid}-${writes++}.tmp`;
  try {
    await makeDirectory(dirname(path));
    {
      await using file = await open(temporary, "wx");
      const sum = createHash("sha256");
      let lines = [firstLine(source)];
      const flush = async () => {
        const block = Buffer.from(lines.join(""));
        sum.update(block);
        await file.writeFile(block);
        lines = [];
      };
      for (const [i, { size, modified, sampleRate, samples, samplesAt16k }] of headers.entries()) {
        const line: IndexLine = [names[i]!, size, modified, sampleRate, samples, samplesAt16k];
        lines.push(`${JSON.stringify(line)}\n`);
        if (lines.length >= LINES_AT_ONCE) await flush();
      }
      await flush();
      await file.writeFile(lastLine(sum.digest("hex")));
    }
    await rename(temporary, path);
  } catch {
    await rm(temporary, { force: true }).catch(() => {});
  }
}
