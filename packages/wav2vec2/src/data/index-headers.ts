import { realpathSync, type Stats, statSync } from "node:fs";
import { dirname, sep } from "node:path";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { readFlacInfo } from "../audio/flac.js";
import { UserError } from "../errors.js";
import type { ProblemKind } from "./corpus-problem.js";
import type { EventLoopTurns } from "./corpus-turns.js";
import { type AudioHeader, indexPath, loadIndex, saveIndex } from "./index-file.js";
import { mapConcurrent } from "./map-concurrent.js";

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
  const file = cache === false ? undefined : indexPath(cache, identity);
  const index = file === undefined ? new Map<string, AudioHeader>() : await loadIndex(file, identity, turns);
  const base = `${statSync(source).isDirectory() ? source : dirname(source)}${sep}`;
  const nameOf = (path: string) => (path.startsWith(base) ? path.slice(base.length) : path);

  const results: (AudioHeader | HeaderProblem)[] = new Array(paths.length);
  const unknown: number[] = [];
  for (const [i, path] of paths.entries()) {
    if (turns.due) await turns.next();
    const known = index.get(nameOf(path));
    if (known && isUnchanged(path, known)) {
      results[i] = known;
      onFile();
    } else unknown.push(i);
  }
  await mapConcurrent(unknown, HEADERS_AT_ONCE, async (i) => {
    if (turns.due) await turns.next();
    results[i] = await readHeader(paths[i]!);
    onFile();
  });

  let changed = false;
  for (const i of unknown) {
    const name = nameOf(paths[i]!);
    const result = results[i]!;
    if (!("kind" in result)) {
      index.set(name, result);
      changed = true;
    } else if (index.delete(name)) changed = true;
  }
  const removed = index.size > paths.length;
  if (file !== undefined && (changed || removed)) {
    // Files that were not asked for this time stay known as long as they exist.
    const asked = new Set(paths.map(nameOf));
    for (const name of index.keys()) {
      if (turns.due) await turns.next();
      if (!asked.has(name) && !exists(name.startsWith(sep) ? name : base + name)) {
        index.delete(name);
        changed = true;
      }
    }
    if (changed) await saveIndex(file, identity, index);
  }
  return results;
}

function isUnchanged(path: string, { size, modified }: AudioHeader): boolean {
  const stats = tryStat(path);
  return stats !== undefined && stats.size === size && stats.mtimeMs === modified;
}

function exists(path: string): boolean {
  return tryStat(path) !== undefined;
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
    const { sampleRate, samples } = await readFlacInfo(path);
    const { size, mtimeMs } = statSync(path);
    if (samples === 0)
      return { kind: "empty-file", message: `${path} must hold audio, but its header says 0 samples.` };
    const samplesAt16k = Math.ceil((samples * SAMPLE_RATE) / sampleRate);
    return { size, modified: mtimeMs, sampleRate, samples, samplesAt16k };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const stats = tryStat(path);
    const kind = stats === undefined ? "missing-audio" : stats.size === 0 ? "empty-file" : "corrupt-header";
    return { kind, message: error.message };
  }
}
