import { dirname, resolve } from "node:path";
import type { Clip } from "./corpus-clip.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { isFile } from "./corpus-splits.js";
import { readTextFile } from "./corpus-text.js";

/** A line of a list of ids or files. */
export interface ListedLine {
  /**
   * What the line may name, likeliest first. An id may hold a space and a `#`, and nothing but the corpus tells it from
   * an id with a comment: the whole line comes first, the part before the first comment last.
   */
  readings: string[];
  /** Whether the line may be a comment and nothing else. */
  comment: boolean;
  /** Counted from 1. */
  line: number;
}

/** Where a comment begins, if it is one: at a line's beginning and after a space. */
const COMMENT = /(?<=^|\s)#/g;
/** A JSON string, alone or with a comment behind it. */
const QUOTED = /^("(?:[^"\\]|\\.)*")\s*(?:\s#.*)?$/;

/**
 * Reads a list of ids or files, one a line; `#` begins a comment. An id within quotation marks is a JSON string, which
 * nothing else can be meant by.
 * @throws UserError where it cannot be read or is not UTF-8
 */
export function readIdList(path: string): ListedLine[] {
  return parseIdList(readTextFile(path, "a list of ids"));
}

/** The lines of a list that name something, or may. */
export function parseIdList(text: string): ListedLine[] {
  const lines: ListedLine[] = [];
  for (const [index, given] of text.split(/\r\n|\n|\r/).entries()) {
    const line = given.trim();
    if (line) lines.push({ readings: readingsOf(line), comment: line.startsWith("#"), line: index + 1 });
  }
  return lines;
}

function readingsOf(line: string): string[] {
  const quoted = QUOTED.exec(line)?.[1];
  if (quoted !== undefined) {
    try {
      return [JSON.parse(quoted) as string];
    } catch {
      // quotation marks of the id itself
    }
  }
  const ends = [...line.matchAll(COMMENT)].map(({ index }) => index).reverse();
  return [line, ...ends.map((end) => line.slice(0, end).trim())].filter((reading) => reading !== "");
}

/** A line of a list for {@link readIdList}, quoted where it could be read as something else. */
export function listLine(id: string, comment: string): string {
  const plain = !/^"|(^|\s)#|^\s|\s$|[\r\n]/.test(id);
  return `${plain ? id : JSON.stringify(id)}  # ${comment.replaceAll(/\s+/g, " ")}\n`;
}

/** Of each line the first reading that fits, and the lines of which none does and that are no mere comments. */
export function chooseReadings(
  lines: readonly ListedLine[],
  fits: (reading: string) => boolean,
): { chosen: { id: string; line: number }[]; unknown: { id: string; line: number }[] } {
  const chosen: { id: string; line: number }[] = [];
  const unknown: typeof chosen = [];
  for (const { readings, comment, line } of lines) {
    const id = readings.find(fits);
    if (id !== undefined) chosen.push({ id, line });
    else if (!comment) unknown.push({ id: readings.at(-1)!, line });
  }
  return { chosen, unknown };
}

/** What a list of ids or audio files leaves out of a corpus, such as the one that `data check` writes. */
export class Exclusion {
  readonly #ids: ReadonlySet<string>;
  readonly #paths: ReadonlySet<string>;
  /** Lines that fit no clip and no problem, by what they name. */
  readonly unknown: readonly { id: string; line: number }[];

  /**
   * @param root files are named from the working directory or from here; from a manifest's directory where it is one
   * @param found the corpus's clips and problems
   */
  constructor(
    lines: readonly ListedLine[],
    root: string,
    found: { clips: Iterable<Pick<Clip, "id" | "path">>; problems: Iterable<CorpusProblem> },
  ) {
    const base = isFile(root) ? dirname(root) : root;
    const places = (reading: string) => [resolve(reading), resolve(base, reading)];
    const wanted = new Set(lines.flatMap(({ readings }) => readings));
    const wantedPaths = new Set([...wanted].flatMap(places));
    const there = new Set<string>();
    const see = (id: string, path: string) => {
      if (wanted.has(id)) there.add(id);
      const file = resolve(path);
      if (wantedPaths.has(file)) there.add(file);
    };
    for (const { id, path } of found.clips) see(id, path);
    for (const { id, file } of found.problems) see(id, file);
    const { chosen, unknown } = chooseReadings(
      lines,
      (reading) => there.has(reading) || places(reading).some((path) => there.has(path)),
    );
    this.#ids = new Set(chosen.map(({ id }) => id));
    this.#paths = new Set(chosen.flatMap(({ id }) => places(id)));
    this.unknown = unknown;
  }

  has({ id, path }: Pick<Clip, "id" | "path">): boolean {
    return this.#ids.has(id) || this.#paths.has(resolve(path));
  }

  /** A problem of something that is left out is none. */
  covers({ id, file }: CorpusProblem): boolean {
    return this.#ids.has(id) || this.#paths.has(resolve(file));
  }
}
