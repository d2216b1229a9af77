import { basename, extname } from "node:path";
import { UserError } from "../../../errors.js";
import { isJsonObject } from "../../../files/json-file.js";
import type { Clip, FindOptions, FoundClips } from "../corpus-clip.js";
import type { ProblemKind } from "../corpus-problem.js";
import { collapseSpaces, invalidText } from "../corpus-text.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { firstLines } from "./first-lines.js";
import { type ColumnNames, missingColumn, resolveColumns } from "./manifest-columns.js";
import { isFairseq, readFairseqRows } from "./manifest-fairseq.js";
import { isJsonName, readJsonFile } from "./manifest-json.js";
import { ManifestPlaces } from "./manifest-places.js";
import { type Row, readCommaRows, readTabRows, type TableRows } from "./manifest-rows.js";
import { tableForm } from "./table-form.js";

export interface ManifestOptions extends FindOptions {
  /** Only rows whose column `split` is one of these. */
  splits?: readonly string[] | undefined;
  /** Put before the ids of rows that have none of their own. */
  prefix?: string | undefined;
}

/** What a manifest lists, and the names in its column `split`. */
export interface FoundRows extends FoundClips {
  splits: Set<string>;
}

/**
 * Reads a manifest: JSON, CSV or TSV (Common Voice's too), or fairseq's TSV, told apart by ending and first line. Rows that cannot be used are problems; a file that cannot be is an error.
 * @throws UserError where the file cannot be read, has no column for audio, none for transcripts where they are
 * required, or none for splits where one is asked for
 */
export async function readManifest(
  path: string,
  options: ManifestOptions,
  turns: EventLoopTurns,
): Promise<FoundRows> {
  const found: FoundRows = { clips: [], problems: [], splits: new Set() };
  const reader = new RowReader(path, options, found);
  if (isJsonName(path)) {
    for await (const rows of readJsonFile(path)) {
      if (turns.due) await turns.next();
      for (const row of rows) await reader.addObject(row);
    }
  } else
    for await (const { names, rows } of await readTable(path, options)) {
      if (turns.due) await turns.next();
      await reader.addTable(names, rows);
    }
  return found;
}

async function readTable(path: string, { transcripts }: FindOptions): Promise<AsyncGenerator<TableRows>> {
  const [first = "", second] = await firstLines(path);
  if (isFairseq(first, second)) return readFairseqRows(path, transcripts === "required");
  const { separator, names, isQuoted } = tableForm(path, first);
  return isQuoted ? readCommaRows(path, { separator, names }) : readTabRows(path, { separator, names });
}

class RowReader {
  #names: string | undefined;
  #columns: ColumnNames = {};
  readonly #places: ManifestPlaces;

  constructor(
    readonly path: string,
    readonly options: ManifestOptions,
    readonly found: FoundRows,
  ) {
    this.#places = new ManifestPlaces(path);
  }

  /** Rows of a table: what its columns lack is the table's fault, and an error. */
  async addTable(names: readonly string[], rows: readonly Row[]): Promise<void> {
    const where = `${this.path}:1`;
    this.#use(names, where);
    if (this.options.transcripts === "required" && this.#columns.text === undefined)
      throw missingColumn("text", names, where);
    if (this.options.splits && this.#columns.split === undefined) throw this.#noSplit(where, names);
    for (const row of rows) await this.#add(row);
  }

  /** A JSON object has its own columns: what it lacks is a problem of its row. */
  async addObject(row: Row): Promise<void> {
    if (!row.problem) {
      const names = Object.keys(row.values);
      try {
        this.#use(names, `${this.path}:${row.line}`);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        this.#problem(row.line, "manifest-row", error.message);
        return;
      }
      if (this.options.splits && this.#columns.split === undefined && !row.splits)
        throw this.#noSplit(`${this.path}:${row.line}`, names);
    }
    await this.#add(row);
  }

  #use(names: readonly string[], where: string): void {
    const key = names.join("\t");
    if (key === this.#names) return;
    this.#columns = resolveColumns(names, where);
    this.#names = key;
  }

  #noSplit(where: string, names: readonly string[]): UserError {
    return new UserError(
      `${where} must have a column split where a split is asked for, but has ${names.join(", ")}. ` +
        "Add the column, or ask for no split: then all rows are taken.",
    );
  }

  #problem(line: number, kind: ProblemKind, message: string, id = `${basename(this.path)}:${line}`): void {
    this.found.problems.push({ id, file: this.path, kind, message });
  }

  async #add({ line, values, problem, splits: several }: Row): Promise<void> {
    const where = `${this.path}:${line}`;
    if (problem) {
      this.#problem(line, "manifest-row", `${where} ${problem}`);
      return;
    }
    const value = (column: keyof ColumnNames) => {
      const name = this.#columns[column];
      return name === undefined ? undefined : values[name];
    };
    const splits = several ?? [words(value("split"))];
    for (const name of splits) if (name !== undefined) this.found.splits.add(name);
    const asked = this.options.splits;
    const split = asked ? splits.find((name) => name !== undefined && asked.includes(name)) : splits[0];
    if (asked && split === undefined) return;
    const audio = fileOf(value("audio"));
    if (typeof audio !== "string" || audio === "") {
      this.#problem(
        line,
        "manifest-row",
        `${where} must name an audio file, but ${this.#columns.audio} is ${shown(audio)}.`,
      );
      return;
    }
    const part = readPart(value);
    const id = words(value("id")) ?? (this.options.prefix ?? "") + defaultId(audio, part);
    if ("problem" in part) {
      this.#problem(line, "segment", `${where}: ${part.problem}`, id);
      return;
    }
    const clip: Clip = {
      id,
      path: this.#places.isId(audio) ? await this.#places.search(audio) : this.#places.locate(audio),
      text: undefined,
      split,
      speaker: words(value("speaker")),
      chapter: words(value("chapter")),
      start: part.start,
      end: part.end,
      columns: this.options.columns && kept(this.options.columns, values),
      where,
    };
    this.found.clips.push(clip);
    if (this.options.transcripts === "required") this.#setText(clip, value("text"), line);
  }

  #setText(clip: Clip, given: unknown, line: number): void {
    const where = `${clip.where}: transcript of utterance ${clip.id}`;
    if (typeof given !== "string" && given !== undefined && given !== null) {
      this.#problem(line, "manifest-row", `${where} must be a string, but is ${shown(given)}.`, clip.id);
      return;
    }
    const text = collapseSpaces(given ?? "");
    const invalid = invalidText(text);
    if (invalid) {
      this.#problem(line, "invalid-text", `${where} ${invalid}`, clip.id);
      return;
    }
    if (!text) {
      this.#problem(
        line,
        "transcript-without-text",
        `${clip.where}: utterance ${clip.id} must have a transcript, but has none.`,
        clip.id,
      );
      return;
    }
    clip.text = text;
  }
}

/** A name, or an object with one, as Hugging Face's datasets have it in JSON. */
function fileOf(given: unknown): unknown {
  return isJsonObject(given) && typeof given.path === "string" ? given.path : given;
}

/** What the columns that are asked for hold: text as it is, numbers and JSON's lists as JSON. */
function kept(columns: readonly string[], values: Row["values"]): Record<string, string> {
  const entries = columns.map((name) => [name, values[name]] as const);
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const text = typeof value === "string" ? value.trim() : JSON.stringify(value ?? "");
      return value === null || value === undefined || text === "" ? [] : [[name, text]];
    }),
  );
}

/** A name: a string, or a number as JSON may have it. */
function words(value: unknown): string | undefined {
  return value === undefined || value === null || value === "" ? undefined : String(value);
}

function shown(value: unknown): string {
  return value === undefined ? "empty" : (JSON.stringify(value) ?? String(value)).slice(0, 200);
}

/** The name of the file without its ending, and for a part of it the seconds: `talks/a#1.5-3`. */
function defaultId(audio: string, part: Part | { problem: string }): string {
  const name = audio.slice(0, audio.length - extname(audio).length).replace(/^(\.\/+)+/, "");
  if ("problem" in part || (part.start === undefined && part.end === undefined)) return name;
  return `${name}#${part.start ?? 0}-${part.end ?? ""}`;
}

/** Without the noise of adding, which would be in the id. */
function rounded(seconds: number): number {
  return Number(seconds.toFixed(6));
}

interface Part {
  start: number | undefined;
  end: number | undefined;
}

/** The part of the file that a row is about, in seconds; whether the file is that long shows later. */
function readPart(value: (column: keyof ColumnNames) => unknown): Part | { problem: string } {
  const numbers: Partial<Record<"start" | "end" | "offset" | "duration", number>> = {};
  for (const column of ["start", "end", "offset", "duration"] as const) {
    const given = value(column);
    if (given === undefined || given === null || given === "") continue;
    const number = typeof given === "string" ? Number(given.trim() || Number.NaN) : given;
    const isSeconds = typeof number === "number" && Number.isFinite(number) && number >= 0;
    if (isSeconds) numbers[column] = number;
    else if (column !== "duration" || value("offset") !== undefined || value("start") !== undefined)
      return { problem: `${column} must be seconds, 0 or more, but is ${shown(given)}.` };
  }
  const { offset, duration } = numbers;
  const start = numbers.start ?? offset;
  const end =
    numbers.end ?? (start !== undefined && duration !== undefined ? rounded(start + duration) : undefined);
  if (end !== undefined && end <= (start ?? 0))
    return { problem: `end must be after start, but start is ${start ?? 0} and end ${end}.` };
  return { start: start === 0 ? undefined : start, end };
}
