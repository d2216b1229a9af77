import { stat } from "node:fs/promises";
import { firstBytes, readBytes } from "../../../files/file-bytes.js";
import { isGzip } from "../../../files/packed.js";
import type { Automaton } from "../automaton/automaton.js";
import { type ArpaOptions, MOST_PACKED, parseArpa } from "./arpa-parser.js";

/**
 * Reads an n-gram model's file in ARPA's format, plain or gzipped.
 *
 * @throws UserError as {@link parseArpa}, and where the file cannot be read
 */
export async function readArpa(path: string, options: ArpaOptions = {}): Promise<Automaton> {
  return await parseArpa(path, readBytes(path, "a language model"), await mostBytes(path), options);
}

/** What the file may have unpacked; unknown for a pipe. */
async function mostBytes(path: string): Promise<number> {
  const packed = isGzip(await firstBytes(path, 2, "a language model"));
  const status = await stat(path);
  if (!status.isFile()) return Infinity;
  return packed ? status.size * MOST_PACKED : status.size;
}
