import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { readAudioInfo } from "../../../audio/audio-file.js";
import { UserError } from "../../../errors.js";
import { mapConcurrent } from "../../map-concurrent.js";
import { otherSpelling } from "../corpus-directory.js";
import type { ProblemKind } from "../corpus-problem.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { type AudioHeader, type HeaderIndex, indexPath, loadIndex, saveIndex } from "./index-file.js";

const HEADERS_AT_ONCE = 32;

export interface HeaderProblem {
  kind: ProblemKind;
  message: string;
}

export interface HeaderOptions {
  /** Directory of the indices; none is kept where it is false. */
  cache: string | false;
  turns: EventLoopTurns;
  /** Called for each file whose header is known. */
  onFile?: () => void;
}

/**
 * Lengths of audio files from their headers. Those that the index knows and whose size and modification time are
 * still the same are not opened; the others are read, several at once, and the index is written anew.
 * @param source the directory or manifest that lists the files
 * @param paths each once; paths in the source's directory must begin with its path
 * @returns a header, or what is wrong with the file, for each path in their order
 */
export async function readHeaders(
  source: string,
  paths: readonly string[],
  { cache, turns, onFile = () => {} }: HeaderOptions,
): Promise<(AudioHeader | HeaderProblem)[]> {
  const identity = realpathSync(source);
  const base = `${statSync(source).isDirectory() ? source : dirname(source)}${sep}`;
  const file = cache === false ? undefined : indexPath(cache, identity);
  const known = new KnownHeaders(base, file ? await loadIndex(file, identity, turns) : undefined);

  const results: (AudioHeader | HeaderProblem)[] = new Array(paths.length);
  const unknown: number[] = [];
  for (const [i, path] of paths.entries()) {
    if (turns.due) await turns.next();
    const header = known.take(path);
    if (header && isUnchanged(path, header)) {
      results[i] = header;
      onFile();
    } else unknown.push(i);
  }
  await mapConcurrent(unknown, HEADERS_AT_ONCE, async (i) => {
    if (turns.due) await turns.next();
    results[i] = await readHeader(paths[i]!);
    onFile();
  });
  if (file === undefined) return results;

  // Files that were not asked for this time stay known as long as they exist.
  const others = await known.othersThatExist(turns);
  if (others.gone > 0 || unknown.some((i) => !("kind" in results[i]!))) {
    const index: HeaderIndex = { names: [], headers: [] };
    for (const [i, result] of results.entries()) {
      if ("kind" in result) continue;
      index.names.push(known.nameOf(paths[i]!));
      index.headers.push(result);
    }
    index.names = index.names.concat(others.names);
    index.headers = index.headers.concat(others.headers);
    await saveIndex(file, identity, index);
  }
  return results;
}

/** The headers of an index by path. */
class KnownHeaders {
  readonly #taken: Uint8Array;
  #next = 0;
  #byName: Map<string, number> | undefined;

  constructor(
    readonly base: string,
    readonly index: HeaderIndex = { names: [], headers: [] },
  ) {
    this.#taken = new Uint8Array(index.names.length);
  }

  /** A file's name in the index: below the source it is relative, so that the index is small. */
  nameOf(path: string): string {
    return path.startsWith(this.base) ? path.slice(this.base.length) : path;
  }

  /** Files come in the index's order but for those that were added since, so the next one is mostly it. */
  take(path: string): AudioHeader | undefined {
    const { names, headers } = this.index;
    const next = names[this.#next];
    if (next === undefined || !this.#is(path, next)) {
      this.#byName ??= new Map(names.map((name, i) => [name, i]));
      const found = this.#byName.get(this.nameOf(path));
      if (found === undefined) return undefined;
      this.#next = found;
    }
    this.#taken[this.#next] = 1;
    return headers[this.#next++];
  }

  /** Whether a path has a name, without making a string for the comparison. */
  #is(path: string, name: string): boolean {
    const { base } = this;
    return path.length === base.length + name.length && path.endsWith(name) && path.startsWith(base);
  }

  /** Those that were not taken, without those whose files are gone. */
  async othersThatExist(turns: EventLoopTurns): Promise<HeaderIndex & { gone: number }> {
    const others = { names: [] as string[], headers: [] as AudioHeader[], gone: 0 };
    for (const [i, name] of this.index.names.entries()) {
      if (turns.due) await turns.next();
      if (this.#taken[i]) continue;
      if (tryStat(name.startsWith(sep) ? name : this.base + name)) {
        others.names.push(name);
        others.headers.push(this.index.headers[i]!);
      } else others.gone++;
    }
    return others;
  }
}

function isUnchanged(path: string, { size, modified }: AudioHeader): boolean {
  const stats = tryStat(path);
  return stats !== undefined && stats.size === size && stats.mtimeMs === modified;
}

function tryStat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined; // reading the file will say why
  }
}

/** The header, or what is wrong with it. */
async function readHeader(path: string): Promise<AudioHeader | HeaderProblem> {
  try {
    const { size, modified, sampleRate, samples, samplesAt16k } = await readAudioInfo(path);
    return { size, modified, sampleRate, samples, samplesAt16k };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message } = error;
    const stats = tryStat(path);
    if (!stats) return { kind: "missing-audio", message: `${message}${otherSpelling(path)}` };
    return {
      kind: stats.size === 0 || message.endsWith(" 0 samples.") ? "empty-file" : "corrupt-header",
      message,
    };
  }
}
