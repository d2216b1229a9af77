import { existsSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { UserError } from "../../../errors.js";
import type { Clip, FindOptions } from "../corpus-clip.js";
import { isOutside, listNames, orReport } from "../corpus-directory.js";
import type { CorpusProblem } from "../corpus-problem.js";
import { collapseSpaces, invalidText, readTextFile } from "../corpus-text.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { isManifest, isManifestName } from "../manifest/manifest.js";
import { isJsonName } from "../manifest/manifest-json.js";
import { readManifest } from "../manifest/manifest-reader.js";
import { ownLine, TranscriptFiles, withoutTimes } from "./transcript-files.js";
import { readLists, type TranscriptList } from "./transcript-lists.js";

/** Hugging Face's `audiofolder`: https://huggingface.co/docs/datasets/audio_dataset#audiofolder */
const TABLE = /^metadata\.(csv|tsv|jsonl)$/i;

/** Whether a table is one of the clips beside and below it, and no split of its own. */
function isFolderTable(name: string): boolean {
  return TABLE.test(name);
}

/** Where the transcripts of a directory of audio files are: beside them, in lists, in tables. */
export class FolderTranscripts {
  /** By the path of their directories below the folder, with a slash at its end; those above the folder under `..`. */
  readonly #lists = new Map<string, TranscriptList[]>();
  readonly #others = new Map<string, string>();
  readonly #own: TranscriptFiles;

  constructor(
    private readonly directory: string,
    private readonly problems: CorpusProblem[],
  ) {
    this.#own = new TranscriptFiles(directory);
  }

  /** Lists and tables in the directory above the folder, which may be those of all splits, and in `transcript/` above. */
  async addAbove(options: FindOptions, turns: EventLoopTurns): Promise<Clip[]> {
    const above = dirname(resolve(this.directory));
    const names = orReport(listNames, above, "", []) ?? [];
    const tables = await tablesOf(above, names);
    if (options.transcripts === "required") {
      const lists = readLists(above, without(names, tables), []);
      for (const place of [above, dirname(above)]) lists.push(...listsBeside(place, []));
      this.#lists.set("..", lists);
    }
    const rows: Clip[] = [];
    for (const name of tables) {
      const { clips } = await readManifest(join(above, name), options, turns).catch(nothing);
      rows.push(...clips.filter(({ path }) => !isOutside(resolve(this.directory), resolve(path))));
    }
    return rows;
  }

  /** Lists and tables in a directory of the folder. @returns the clips of its tables' rows */
  async add(
    prefix: string,
    files: readonly string[],
    options: FindOptions,
    turns: EventLoopTurns,
  ): Promise<Clip[]> {
    const place = join(this.directory, prefix);
    const tables = await tablesOf(place, files);
    if (options.transcripts === "required") {
      const lists = isListPlace(prefix) ? [] : readLists(place, without(files, tables), this.problems);
      lists.push(...listsBeside(place, this.problems));
      if (lists.length > 0) this.#lists.set(prefix, lists);
      const other = files.find((name) => isManifestName(name) && !isJsonName(name) && !isFolderTable(name));
      if (other !== undefined) this.#others.set(prefix, join(place, other));
    }
    const rows: Clip[] = [];
    for (const name of tables) {
      const { clips, problems } = await readManifest(join(place, name), { ...options, prefix }, turns);
      rows.push(...clips);
      this.problems.push(...problems);
    }
    return rows;
  }

  /** The transcript of a clip; undefined with a problem where there is none. */
  of(clip: Clip, prefix: string, names: ReadonlySet<string>): string | undefined {
    const { id, path } = clip;
    const stem = id.slice(prefix.length);
    const file = join(this.directory, `${prefix}${stem}.txt`);
    const problem = (kind: CorpusProblem["kind"], message: string, at = file): undefined => {
      this.problems.push({ id, file: at, kind, message });
    };
    const own = this.#own.of(clip, names);
    if (own !== undefined) {
      const { text, kind, message } = readTranscript(own);
      return kind === undefined ? text : problem(kind, message, own);
    }
    for (const list of this.#listsFor(prefix)) {
      const listed = list.take(stem);
      if (listed && list.isBySpeaker) clip.speaker ??= basename(dirname(path));
      if (listed) return "text" in listed ? listed.text : problem(listed.kind, listed.problem, path);
    }
    const other = this.#above(this.#others, prefix)[0];
    const hint =
      other === undefined ? "" : ` If ${other} holds the transcripts, name it instead of the directory.`;
    return problem(
      "audio-without-transcript",
      `${path} must have a transcript, but there is no ${file}.${hint}`,
      path,
    );
  }

  /** What lists have transcripts for, and no clip. */
  unused(): CorpusProblem[] {
    const within = [...this.#lists].filter(([prefix]) => prefix !== "..");
    return within.flatMap(([, lists]) => lists.flatMap((list) => list.unused()));
  }

  #listsFor(prefix: string): TranscriptList[] {
    return [...this.#above(this.#lists, prefix).flat(), ...(this.#lists.get("..") ?? [])];
  }

  /** What belongs to a directory and those above it, the nearest first. */
  #above<T>(map: ReadonlyMap<string, T>, prefix: string): T[] {
    if (map.size === 0) return [];
    const found: T[] = [];
    for (let at = prefix; ; at = at.slice(0, at.lastIndexOf("/", at.length - 2) + 1)) {
      const here = map.get(at);
      if (here !== undefined) found.push(here);
      if (at === "") return found;
    }
  }
}

type Read =
  | { text: string; kind?: undefined; message?: undefined }
  | { text?: undefined; kind: CorpusProblem["kind"]; message: string };

function readTranscript(file: string): Read {
  let text: string;
  try {
    const written = ownLine(readTextFile(file, "a transcript file"), file);
    text = withoutTimes(collapseSpaces(written), file);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { kind: "unreadable-transcripts", message: error.message };
  }
  const invalid = invalidText(text);
  if (invalid) return { kind: "invalid-text", message: `transcript ${file} ${invalid}` };
  if (text) return { text };
  return { kind: "transcript-without-text", message: `${file} must hold a transcript, but holds no text.` };
}

/** Lists that a directory of their own holds, for all beside it: AISHELL's `transcript/`, VoxForge's `etc/`. */
function listsBeside(directory: string, problems: CorpusProblem[]): TranscriptList[] {
  return LIST_PLACES.map((name) => join(directory, name))
    .filter((place) => existsSync(place))
    .flatMap((place) => readLists(place, orReport(listNames, place, "", problems) ?? [], problems));
}

const LIST_PLACES = ["transcript", "etc"];

function isListPlace(prefix: string): boolean {
  return LIST_PLACES.includes(basename(prefix));
}

/** A table above the folder that cannot be read is no fault of the folder. */
function nothing(error: unknown): { clips: Clip[] } {
  if (error instanceof UserError) return { clips: [] };
  throw error;
}

async function tablesOf(directory: string, names: readonly string[]): Promise<string[]> {
  const tables: string[] = [];
  for (const name of names.filter(isFolderTable))
    if (await isManifest(join(directory, name)).catch(() => false)) tables.push(name);
  return tables;
}

function without(names: readonly string[], others: readonly string[]): string[] {
  return names.filter((name) => !others.includes(name));
}
