import { realpathSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { UserError } from "../../../errors.js";
import { renameAdvice } from "../../../files/unreadable.js";
import type { Clip, FindOptions, FoundClips } from "../corpus-clip.js";
import { isOutside, listDirectory, orReport } from "../corpus-directory.js";
import type { CorpusProblem } from "../corpus-problem.js";
import { readTextFile } from "../corpus-text.js";
import { EventLoopTurns } from "../corpus-turns.js";
import { audioNames, isHidden, stemOf } from "./audio-names.js";
import { FolderTranscripts } from "./folder-transcripts.js";
import { unnamedAudio } from "./unnamed-audio.js";

/** Whether there is an audio file anywhere in a directory. */
export async function holdsAudio(directory: string, turns: EventLoopTurns): Promise<boolean> {
  for await (const { files, unnamed, undecodable } of walk(directory, turns, []))
    if (audioNames([...files, ...undecodable]).length + unnamed.length > 0) return true;
  return false;
}

/**
 * Paths of the audio files of a directory, in any nesting, sorted; also of those that reading will refuse.
 * @throws UserError where a part of it cannot be read
 */
export async function listAudio(directory: string): Promise<string[]> {
  listDirectory(directory);
  const paths: string[] = [];
  const problems: CorpusProblem[] = [];
  for await (const { prefix, files, unnamed } of walk(directory, new EventLoopTurns(), problems))
    for (const name of [...audioNames(files), ...unnamed]) paths.push(join(directory, prefix + name));
  if (problems[0]) throw new UserError(problems[0].message);
  return paths.sort();
}

/**
 * Lists a directory of audio files, in any nesting. An utterance's id is the file's path in the directory without its ending;
 * its transcript is in a file of that name with the ending `.txt` beside it (see {@link TranscriptFiles}), in a list of transcripts in its directory or above, or
 * in a table `metadata.csv`, `.tsv` or `.jsonl` there, whose rows are read as a manifest's.
 */
export async function findFolderClips(
  directory: string,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<FoundClips> {
  const found: FoundClips = { clips: [], problems: [] };
  listDirectory(directory); // the folder itself must be readable, whatever is done about problems in it
  const wanted = options.transcripts === "required";
  const transcripts = new FolderTranscripts(directory, found.problems);
  const covered = new Set<string>(); // by the rows of tables
  const reads = wanted || options.columns !== undefined;
  if (reads) {
    const above = await transcripts.addAbove(options, turns);
    for (const clip of above) covered.add(resolve(clip.path));
    found.clips.push(...above);
  }
  for await (const { prefix, files, unnamed } of walk(directory, turns, found.problems)) {
    if (reads) {
      const rows = await transcripts.add(prefix, files, options, turns);
      for (const clip of rows) covered.add(resolve(clip.path));
      found.clips.push(...rows);
    }
    const names = new Set(files);
    const described = speakerOf(directory, prefix, files);
    for (const name of [...audioNames(files), ...unnamed]) {
      if (turns.due) await turns.next();
      const path = join(directory, prefix + name);
      if (covered.size > 0 && covered.has(resolve(path))) continue;
      const stem = unnamed.includes(name) ? name : stemOf(name); // `take.1` and `take.2` are two
      const clip: Clip = {
        id: prefix + stem,
        path,
        text: undefined,
        split: undefined,
        ...(described ?? readerOf(prefix, stem)),
        start: undefined,
        end: undefined,
        columns: options.columns && classFolder(prefix, options.columns),
        where: undefined,
      };
      found.clips.push(clip);
      if (wanted) clip.text = transcripts.of(clip, prefix, names);
    }
  }
  found.problems.push(...transcripts.unused());
  return found;
}

/** LibriSpeech's speaker and chapter wherever its directories and names are: in Libri-light, LibriTTS and MLS. */
function readerOf(prefix: string, stem: string): Pick<Clip, "speaker" | "chapter"> {
  const [speaker, chapter] = prefix.split("/").slice(-3, -1);
  const named = ["-", "_"].some((mark) => chapter && stem.startsWith(`${speaker}${mark}${chapter}${mark}`));
  return named ? { speaker, chapter } : { speaker: undefined, chapter: undefined };
}

/**
 * Libri-light's speaker and book, `<speaker>/<book>/`, where a clip's description says that the directories are these: one of a
 * book's stands for all.
 */
function speakerOf(
  directory: string,
  prefix: string,
  files: readonly string[],
): Pick<Clip, "speaker" | "chapter"> | undefined {
  const [speaker, chapter] = prefix.split("/").slice(-3, -1);
  const description = files.find((name) => name.endsWith(".json") && files.includes(`${stemOf(name)}.flac`));
  if (description === undefined || chapter === undefined) return undefined;
  try {
    const { speaker: described } = JSON.parse(
      readTextFile(join(directory, prefix, description), "a description"),
    );
    return String(described) === speaker ? { speaker, chapter } : undefined;
  } catch {
    return undefined; // of something else
  }
}

/** Hugging Face's `audiofolder`: the directory that a file lies in is its label. */
function classFolder(prefix: string, columns: readonly string[]): Record<string, string> {
  return columns.includes("label") && prefix !== "" ? { label: basename(prefix) } : {};
}

interface Folder {
  /** Path below the directory that the walk began in, with a slash at its end; empty for that directory itself. */
  prefix: string;
  files: string[];
  /** Those of them that are recordings by their contents alone. */
  unnamed: string[];
  /** Names of files and directories that are not UTF-8. */
  undecodable: string[];
}

/**
 * Visits a directory and all below it. Links to directories are followed after everything else; each directory is
 * visited once, by its real path, so links in a circle end, and one that leads above the directory is not followed.
 */
async function* walk(
  directory: string,
  turns: EventLoopTurns,
  problems: CorpusProblem[],
): AsyncGenerator<Folder> {
  const top = realPath(directory);
  const visited = new Set<string>();
  const pending = [{ prefix: "", real: top }];
  const links: typeof pending = [];
  const undecodable: string[] = [];
  for (let next = pending.pop(); next; next = pending.pop() ?? links.shift()) {
    const { prefix, real } = next;
    if (turns.due) await turns.next();
    if (visited.has(real) || (real !== top && !isOutside(real, top))) continue;
    visited.add(real);
    const name = prefix.slice(0, -1);
    const listing = orReport(listDirectory, join(directory, name), name, problems);
    if (!listing) continue;
    undecodable.push(...listing.undecodable.filter(isOfInterest).map((name) => prefix + name));
    const { files } = listing;
    yield { prefix, files, unnamed: unnamedAudio(real, files), undecodable: listing.undecodable };
    const children = listing.directories.filter((name) => !isHidden(name)).reverse();
    for (const child of children) {
      const path = join(real, child);
      const target = realPath(path);
      (target === path ? pending : links).push({ prefix: `${prefix}${child}/`, real: target });
    }
  }
  const problem = undecodableNames(directory, undecodable);
  if (problem) problems.push(problem);
}

/** What is wrong with names that are not UTF-8; undefined where there are none. */
export function undecodableNames(
  directory: string,
  undecodable: readonly string[],
): CorpusProblem | undefined {
  const [first] = undecodable;
  if (first === undefined) return undefined;
  const names = undecodable.length === 1 ? "1 name is" : `${undecodable.length} names are`;
  const message = `${names} not UTF-8 in ${directory} (the first: ${first}). ${renameAdvice(directory)}`;
  return { id: "", file: directory, kind: "undecodable-name", message };
}

/** Whether a name that is not UTF-8 may be audio, a transcript or a directory of them. */
export function isOfInterest(name: string): boolean {
  return audioNames([name]).length > 0 || [".txt", ""].includes(extname(name).toLowerCase());
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // removed since it was listed, which listing it will say
  }
}
