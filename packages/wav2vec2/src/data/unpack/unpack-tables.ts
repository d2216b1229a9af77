import { existsSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { detectFormat } from "../../audio/audio-format.js";
import type { AudioFormat } from "../../audio/decoded-audio.js";
import { memorySource } from "../../audio/sources/byte-source.js";
import { UserError } from "../../errors.js";
import { unwritable, writeFileAtomic } from "../../files/atomic/atomic-file.js";
import { isJsonObject } from "../../files/json-file.js";
import { makeDirectory } from "../../files/make-directory.js";
import { shellName } from "../../files/shell-name.js";
import { listDirectory } from "../corpus/corpus-directory.js";
import { audioNames, isHidden, stemOf } from "../corpus/layouts/audio-names.js";
import { isPartColumn } from "../corpus/manifest/manifest-columns.js";
import { readParquet } from "./read-parquet.js";

/** A split that was unpacked. */
export interface UnpackedSplit {
  name: string;
  path: string;
  clips: number;
}

export interface UnpackOptions {
  /** Directory that gets a directory for each split. */
  to: string;
  signal?: AbortSignal | undefined;
  /** Called now and then with the number of clips that were written. */
  onProgress?: ((clips: number) => void) | undefined;
}

/** What a split's directory holds beside its clips: Hugging Face's `audiofolder`. */
const LIST = "metadata.jsonl";

/**
 * Unpacks Parquet files of Hugging Face's datasets, in which recordings lie as bytes in a column, into a directory of clips for each
 * split with a table beside them. Recordings are written as they are; all other columns become the table's.
 * @param source a file, or a directory that has some in it or below
 * @throws UserError where there are none, one cannot be read or holds no recordings, or a split was unpacked there before
 */
export async function unpackTables(source: string, options: UnpackOptions): Promise<UnpackedSplit[]> {
  const places = splitsOf(source).map(([name, files]) => ({ name, files, path: join(options.to, name) }));
  for (const { path } of places)
    if (existsSync(join(path, LIST)))
      throw new UserError(
        `${path} must be new, but holds ${LIST} already. Give another directory, or remove it.`,
      );
  const unpacked: UnpackedSplit[] = [];
  let clips = 0;
  for (const { name, files, path } of places) {
    const split = new SplitWriter(path);
    for (const file of files)
      for await (const { row, at } of readParquet(file)) {
        options.signal?.throwIfAborted();
        await split.add(row, `${file}, row ${at}`);
        options.onProgress?.(++clips);
      }
    await split.end();
    unpacked.push({ name, path, clips: split.clips });
  }
  return unpacked;
}

/** The Parquet files of a directory and those below it, sorted. */
function tablesOf(source: string): string[] {
  if (existsSync(source) && !statSync(source).isDirectory()) return [requireParquet(source)];
  const found: string[] = [];
  const arrow: string[] = [];
  const pending = [source];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const { files, directories } = listDirectory(path);
    for (const name of files) {
      if (isHidden(name)) continue;
      if (name.endsWith(".parquet")) found.push(join(path, name));
      if (name.endsWith(".arrow")) arrow.push(join(path, name));
    }
    for (const name of directories) if (!isHidden(name)) pending.push(join(path, name));
  }
  if (found.length === 0 && arrow[0] !== undefined) requireParquet(arrow[0]);
  if (found.length === 0)
    throw new UserError(`${source} must be a Parquet file or a directory of them, but holds none.`);
  return found.sort();
}

function requireParquet(file: string): string {
  if (!file.endsWith(".arrow")) return file;
  const split = dirname(file);
  const all = existsSync(join(dirname(split), "dataset_dict.json")) ? dirname(split) : split;
  const python =
    "import sys, datasets; s = datasets.load_from_disk(sys.argv[1]); " +
    "[t.to_parquet(f'{sys.argv[2]}/{n}.parquet') for n, t in (s.items() if isinstance(s, dict) else [('train', s)])]";
  throw new UserError(
    `${file} must be Parquet, but is Arrow, as datasets' save_to_disk writes it. Write it as Parquet with: ` +
      `python3 -c "${python}" ${shellName(all)} PARQUET && npx wav2vec2 data unpack PARQUET --to OUTPUT`,
  );
}

/**
 * The files of each split: `data/train-00000-of-00002.parquet`, `train/0000.parquet` or `train.parquet`. Where several directories
 * have a split of one name, as those of languages do, their names are told too: `en/train`.
 */
function splitsOf(source: string): [name: string, files: string[]][] {
  const tables = tablesOf(source).map((file) => ({ file, ...splitOf(file) }));
  const isSeveral = tables.some(({ name, above }) =>
    tables.some((other) => other.name === name && other.above !== above),
  );
  const splits = new Map<string, string[]>();
  for (const { file, name, above } of tables) {
    const full = isSeveral ? join(relative(resolve(source), above), name) : name;
    splits.set(full, [...(splits.get(full) ?? []), file]);
  }
  return [...splits];
}

interface Split {
  name: string;
  /** The directory that the split is in, absolute. */
  above: string;
}

function splitOf(file: string): Split {
  const directory = dirname(resolve(file));
  const name = stemOf(basename(file)).replace(/-\d+-of-\d+(-[0-9a-f]+)?$/, "");
  const isNumber = /^(part-)?\d+$/.test(name) || name === "data" || isHidden(name);
  return isNumber ? { name: basename(directory), above: dirname(directory) } : { name, above: directory };
}

/** A split's clips, each as it comes, and the table of them at the end: without it the split is not there. */
class SplitWriter {
  clips = 0;
  readonly #rows: string[] = [];
  readonly #names = new Set<string>();

  constructor(readonly path: string) {}

  async add(row: Record<string, unknown>, where: string): Promise<void> {
    const [column, recording] = recordingOf(row) ?? [];
    if (column === undefined || recording === undefined)
      throw new UserError(
        `${where} must have a column with a recording's bytes, but has ${Object.keys(row).join(", ")}, none of which holds any.`,
      );
    await makeDirectory(this.path);
    const name = this.#nameOf(recording, where);
    const path = join(this.path, name);
    await writeFile(path, recording.bytes).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    const values: Record<string, unknown> = { audio: name };
    for (const [key, value] of Object.entries(row))
      if (key !== column) values[isPartColumn(key) || key === "audio" ? `original_${key}` : key] = value;
    this.#rows.push(`${JSON.stringify(values, asJson)}\n`);
    this.clips++;
  }

  async end(): Promise<void> {
    if (this.clips > 0) await writeFileAtomic(join(this.path, LIST), this.#rows.join(""));
  }

  /** Its own name where that is one of a recording and free, otherwise a number that is. */
  #nameOf({ path, bytes }: Recording, where: string): string {
    const given = path === undefined ? "" : basename(path);
    const ending = ENDINGS[detectFormat(memorySource(bytes), where).format];
    const isTaken = (name: string) => this.#names.has(name.toLowerCase());
    let name = isClipName(given) ? given : `${this.clips}${ending}`;
    for (let number = this.clips; isTaken(name); number++) name = `${number}${ending}`;
    this.#names.add(name.toLowerCase());
    return name;
  }
}

/** Bytes that every file system takes for a name. */
const LONGEST_NAME = 255;

function isClipName(name: string): boolean {
  const isPlain = !/\p{Cc}/u.test(name) && Buffer.byteLength(name) <= LONGEST_NAME;
  return isPlain && audioNames([name]).length > 0;
}

const ENDINGS: Record<AudioFormat, string> = {
  flac: ".flac",
  wav: ".wav",
  mp3: ".mp3",
  "ogg-opus": ".opus",
  "ogg-vorbis": ".ogg",
  "ogg-flac": ".oga",
  "webm-opus": ".webm",
  "nist-sphere": ".sph",
};

interface Recording {
  bytes: Uint8Array;
  path: string | undefined;
}

/** The column that holds a recording, `{bytes, path}` as `Audio` of datasets has it or bytes alone, and what it holds. */
function recordingOf(row: Record<string, unknown>): [column: string, Recording] | undefined {
  for (const [column, value] of Object.entries(row)) {
    if (value instanceof Uint8Array) return [column, { bytes: value, path: undefined }];
    if (isJsonObject(value) && value.bytes instanceof Uint8Array)
      return [column, { bytes: value.bytes, path: typeof value.path === "string" ? value.path : undefined }];
  }
  return undefined;
}

/** Numbers of 64 bits as JSON's; other bytes, such as pictures, have no place in the table. */
function asJson(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? undefined : value;
}
