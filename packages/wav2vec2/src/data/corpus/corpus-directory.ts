import { type Dirent, readdirSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import { UserError } from "../../errors.js";
import { shellWord } from "../../files/shell-name.js";
import { renameAdvice, unreadable } from "../../files/unreadable.js";
import type { CorpusProblem } from "./corpus-problem.js";

export interface Listing {
  directories: string[];
  files: string[];
  /** Names that are not UTF-8, by which nothing can be opened here; what they are not is written as `\xe9`. */
  undecodable: string[];
}

/**
 * Names of the entries of a directory, apart by kind, symbolic links followed, in code-unit order. Synchronous, see
 * EventLoopTurns.
 * @throws UserError where it is no readable directory
 */
export function listDirectory(path: string): Listing {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    throw unreadable(path, "a directory", error);
  }
  const directories: string[] = [];
  const files: string[] = [];
  const undecodable = entries.some(({ name }) => name.includes(REPLACEMENT)) ? undecodableNames(path) : [];
  const lost = new Set(undecodable.map(({ decoded }) => decoded));
  for (const entry of entries)
    if (!lost.has(entry.name)) (isDirectory(path, entry) ? directories : files).push(entry.name);
  return {
    directories: directories.sort(),
    files: files.sort(),
    undecodable: undecodable.map(({ shown }) => shown),
  };
}

/** What Node puts where bytes are no UTF-8. */
const REPLACEMENT = "\ufffd";

function undecodableNames(path: string): { decoded: string; shown: string }[] {
  const names = readdirSync(path, { encoding: "buffer" });
  return names.flatMap((bytes) => {
    const decoded = bytes.toString();
    if (Buffer.from(decoded).equals(bytes)) return []; // the name itself holds U+FFFD
    return { decoded, shown: showBytes(bytes) };
  });
}

/** ASCII as it is, other bytes as `\xe9`. */
function showBytes(name: Buffer): string {
  const characters = Array.from(name, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`,
  );
  return characters.join("");
}

function isDirectory(path: string, entry: Dirent): boolean {
  if (entry.isDirectory() || entry.isFile()) return entry.isDirectory();
  try {
    return statSync(join(path, entry.name)).isDirectory();
  } catch {
    return false; // a link that leads nowhere or round in circles: reading it will say so
  }
}

/**
 * {@link listDirectory} of a directory that should hold files alone: names of all its entries, without asking for the
 * kind of each.
 */
export function listNames(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    throw unreadable(path, "a directory", error);
  }
}

/** Advice where a file's directory holds its name in another encoding or form; empty where it does not. */
export function otherSpelling(path: string): string {
  const name = basename(path);
  if (/^[ -~]*$/.test(name)) return "";
  const directory = dirname(path);
  const listing = orReport(listDirectory, directory, "", []);
  const other = listing?.files.find((file) => file.normalize() === name.normalize());
  if (other !== undefined)
    return ` There is a file of this name in another Unicode form: convmv -f utf8 -t utf8 --${name === name.normalize() ? "nfc" : "nfd"} -r --notest ${shellWord(directory)}`;
  return listing && listing.undecodable.length > 0 ? ` ${renameAdvice(directory)}` : "";
}

/** What `list` returns, but where the directory cannot be read that is one of the corpus's problems. */
export function orReport<T>(
  list: (path: string) => T,
  path: string,
  id: string,
  problems: CorpusProblem[],
): T | undefined {
  try {
    return list(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push({ id, file: path, kind: "unreadable-directory", message: error.message });
    return undefined;
  }
}

/** Whether a path is neither the directory nor below it. */
export function isOutside(directory: string, path: string): boolean {
  const below = relative(directory, path);
  return below === ".." || below.startsWith(`..${sep}`) || isAbsolute(below);
}
