import { resolve } from "node:path";
import { UserError } from "../../errors.js";
import type { Clip } from "./corpus-clip.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { readTextFile } from "./corpus-text.js";

export interface ListedId {
  id: string;
  /** Counted from 1. */
  line: number;
}

/**
 * Reads a list of ids or files, one a line; `#` begins a comment at a line's beginning and after a space.
 * @throws UserError where it cannot be read or is not UTF-8
 */
export function readIdList(path: string): ListedId[] {
  const ids: ListedId[] = [];
  for (const [index, line] of readTextFile(path, "a list of ids")
    .split(/\r\n|\n|\r/)
    .entries()) {
    const id = line.replace(/(^|\s)#.*$/, "").trim();
    if (id) ids.push({ id, line: index + 1 });
  }
  return ids;
}

/**
 * What a list of ids or audio files leaves out, such as the one that `data check` writes.
 * @param root files are named from the working directory or from here
 */
export class Exclusion {
  readonly #ids: ReadonlySet<string>;
  readonly #paths: ReadonlySet<string>;

  constructor(listed: readonly ListedId[], root: string) {
    this.#ids = new Set(listed.map(({ id }) => id));
    this.#paths = new Set(listed.flatMap(({ id }) => [resolve(id), resolve(root, id)]));
  }

  has({ id, path }: Pick<Clip, "id" | "path">): boolean {
    return this.#ids.has(id) || this.#paths.has(resolve(path));
  }

  /** A problem of something that is left out is none. */
  covers({ id, file }: CorpusProblem): boolean {
    return this.#ids.has(id) || this.#paths.has(resolve(file));
  }
}

/** Reads the list of the option `exclude`. */
export function readExclusion(path: string, root: string): Exclusion {
  return new Exclusion(readIdList(path), root);
}

/** @throws UserError where a list that makes a split is empty */
export function readSplitList(path: string): ListedId[] {
  const ids = readIdList(path);
  if (ids.length === 0)
    throw new UserError(`${path} must list ids of utterances, one a line, but lists none.`);
  return ids;
}
