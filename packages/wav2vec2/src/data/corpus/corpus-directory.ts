import { type Dirent, readdirSync, statSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import type { CorpusProblem } from "./corpus-problem.js";

export interface Listing {
  directories: string[];
  files: string[];
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
  for (const entry of entries) (isDirectory(path, entry) ? directories : files).push(entry.name);
  return { directories: directories.sort(), files: files.sort() };
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
