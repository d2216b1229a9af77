import { realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { UserError } from "../../errors.js";
import { audioNames, isHidden, stemOf } from "./audio-names.js";
import type { Clip, FindOptions, FoundClips } from "./corpus-clip.js";
import { isOutside, listDirectory, orReport } from "./corpus-directory.js";
import type { CorpusProblem } from "./corpus-problem.js";
import { collapseSpaces, invalidText, readTextFile } from "./corpus-text.js";
import { EventLoopTurns } from "./corpus-turns.js";

/** Whether there is an audio file anywhere in a directory. */
export async function holdsAudio(directory: string, turns: EventLoopTurns): Promise<boolean> {
  for await (const { files } of walk(directory, turns, [])) if (audioNames(files).length > 0) return true;
  return false;
}

/**
 * Paths of the audio files of a directory, in any nesting, sorted; also of those that reading will refuse.
 * @throws UserError where it cannot be read
 */
export async function listAudio(directory: string): Promise<string[]> {
  listDirectory(directory);
  const paths: string[] = [];
  for await (const { prefix, files } of walk(directory, new EventLoopTurns(), []))
    for (const name of audioNames(files)) paths.push(join(directory, prefix + name));
  return paths.sort();
}

/**
 * Lists a directory of audio files, in any nesting, each with its transcript beside it under the same name with the
 * ending `.txt`. An utterance's id is the file's path in the directory without its ending.
 */
export async function findFolderClips(
  directory: string,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<FoundClips> {
  const found: FoundClips = { clips: [], problems: [] };
  listDirectory(directory); // the folder itself must be readable, whatever is done about problems in it
  for await (const { prefix, files } of walk(directory, turns, found.problems)) {
    const names = new Set(files);
    for (const name of audioNames(files)) {
      if (turns.due) await turns.next();
      const stem = stemOf(name);
      const clip: Clip = {
        id: prefix + stem,
        path: join(directory, prefix + name),
        text: undefined,
        split: undefined,
        speaker: undefined,
        chapter: undefined,
        start: undefined,
        end: undefined,
        where: undefined,
      };
      found.clips.push(clip);
      if (options.transcripts === "required")
        clip.text = readTranscript(clip, join(directory, `${prefix}${stem}.txt`), names, found.problems);
    }
  }
  return found;
}

function readTranscript(
  { id, path }: Clip,
  file: string,
  names: ReadonlySet<string>,
  problems: CorpusProblem[],
): string | undefined {
  const problem = (kind: CorpusProblem["kind"], message: string): undefined => {
    problems.push({ id, file: kind === "audio-without-transcript" ? path : file, kind, message });
  };
  if (!names.has(file.slice(file.lastIndexOf(sep) + 1)))
    return problem("audio-without-transcript", `${path} must have a transcript, but there is no ${file}.`);
  let text: string;
  try {
    text = collapseSpaces(readTextFile(file, "a transcript file"));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return problem("unreadable-transcripts", error.message);
  }
  const invalid = invalidText(text);
  if (invalid) return problem("invalid-text", `transcript ${file} ${invalid}`);
  if (!text) return problem("transcript-without-text", `${file} must hold a transcript, but holds no text.`);
  return text;
}

interface Folder {
  /** Path below the directory that the walk began in, with a slash at its end; empty for that directory itself. */
  prefix: string;
  files: string[];
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
  for (let next = pending.pop(); next; next = pending.pop() ?? links.shift()) {
    const { prefix, real } = next;
    if (turns.due) await turns.next();
    if (visited.has(real) || (real !== top && !isOutside(real, top))) continue;
    visited.add(real);
    const name = prefix.slice(0, -1);
    const listing = orReport(listDirectory, join(directory, name), name, problems);
    if (!listing) continue;
    yield { prefix, files: listing.files };
    const children = listing.directories.filter((name) => !isHidden(name)).reverse();
    for (const child of children) {
      const path = join(real, child);
      const target = realPath(path);
      (target === path ? pending : links).push({ prefix: `${prefix}${child}/`, real: target });
    }
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // removed since it was listed, which listing it will say
  }
}
