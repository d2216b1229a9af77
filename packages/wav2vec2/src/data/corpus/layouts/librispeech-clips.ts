import { join } from "node:path";
import { UserError } from "../../../errors.js";
import { shellName } from "../../../files/shell-name.js";
import type { Clip, FindOptions, FoundClips } from "../corpus-clip.js";
import { listDirectory, listNames, orReport } from "../corpus-directory.js";
import type { CorpusProblem, ProblemKind } from "../corpus-problem.js";
import { invalidText } from "../corpus-text.js";
import type { EventLoopTurns } from "../corpus-turns.js";
import { audioNames, stemOf } from "./audio-names.js";
import { readTranscripts, type TranscriptLine } from "./transcripts.js";

const FLAC = ".flac";

/** Whether a directory holds `<speaker>/<chapter>` directories with what belongs into them by its name. */
export function isLibriSpeechSplit(directory: string): boolean {
  const below = (path: string) => orReport(listDirectory, path, "", [])?.directories ?? [];
  for (const speaker of below(directory))
    for (const chapter of below(join(directory, speaker))) {
      const prefix = `${speaker}-${chapter}`;
      for (const name of orReport(listNames, join(directory, speaker, chapter), "", []) ?? [])
        if (name === `${prefix}.trans.txt` || (name.startsWith(`${prefix}-`) && name.endsWith(FLAC)))
          return true;
    }
  return false;
}

/**
 * Lists a split in LibriSpeech's layout, `<split>/<speaker>/<chapter>/<speaker>-<chapter>-<utterance>.flac` beside
 * `<speaker>-<chapter>.trans.txt` (https://www.openslr.org/12), and what is wrong with it short of its audio.
 */
export async function findLibriSpeechClips(
  directory: string,
  options: FindOptions,
  turns: EventLoopTurns,
): Promise<FoundClips> {
  const found: FoundClips = { clips: [], problems: [] };
  const { directories: speakers, files: strays } = listDirectory(directory);
  reportMisplaced(directory, strays, found.problems);
  for (const speaker of speakers) {
    const listing = orReport(listDirectory, join(directory, speaker), speaker, found.problems);
    reportMisplaced(join(directory, speaker), listing?.files ?? [], found.problems);
    for (const chapter of listing?.directories ?? []) {
      if (turns.due) await turns.next();
      const place = { directory: join(directory, speaker, chapter), speaker, chapter };
      const files = orReport(listNames, place.directory, `${speaker}-${chapter}`, found.problems);
      if (files) findChapter(place, files, options, found);
    }
  }
  return found;
}

interface Chapter {
  directory: string;
  speaker: string;
  chapter: string;
}

function findChapter(place: Chapter, files: string[], { transcripts }: FindOptions, found: FoundClips) {
  const { directory, speaker, chapter } = place;
  const prefix = `${speaker}-${chapter}-`;
  const isOurs = (name: string) => name.startsWith(prefix) && name.endsWith(FLAC);
  const clips = files.filter(isOurs).map((name) => clipOf(place, name));
  for (const clip of clips) found.clips.push(clip);
  reportMisplaced(directory, files, found.problems, isOurs);
  if (transcripts === "none") return;
  const transcriptFile = join(directory, `${speaker}-${chapter}.trans.txt`);
  let lines: TranscriptLine[];
  try {
    lines = readTranscripts(transcriptFile);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    found.problems.push({
      id: `${speaker}-${chapter}`,
      file: transcriptFile,
      kind: "unreadable-transcripts",
      message: error.message,
    });
    return; // one problem stands for all clips of the chapter
  }
  assignTranscripts(clips, lines, transcriptFile, found.problems);
}

function assignTranscripts(
  clips: readonly Clip[],
  lines: readonly TranscriptLine[],
  transcriptFile: string,
  problems: CorpusProblem[],
): void {
  const byId = new Map(clips.map((clip) => [clip.id, clip]));
  const seen = new Map<string, TranscriptLine>();
  for (const line of lines) {
    const { id, text } = line;
    const where = `${transcriptFile}:${line.line}`;
    const problem = (kind: ProblemKind, message: string) =>
      problems.push({ id, file: transcriptFile, kind, message: `${where}: ${message}` });
    const clip = byId.get(id);
    const earlier = seen.get(id);
    seen.set(id, earlier ?? line);
    const invalid = invalidText(text);
    if (earlier)
      problem("duplicate-id", `utterance ${id} must stand once, but stands at line ${earlier.line} too.`);
    if (!text)
      problem("transcript-without-text", `utterance ${id} must have a transcript, but has only an id.`);
    if (invalid) problem("invalid-text", `transcript of utterance ${id} ${invalid}`);
    if (!earlier && !clip) {
      const missing = join(transcriptFile, "..", `${id}${FLAC}`);
      problem(
        "transcript-without-audio",
        `utterance ${id} must have audio at ${missing}, but the file does not exist.`,
      );
    }
    // Which of two texts is meant, nobody knows.
    if (clip) clip.text = earlier || !text || invalid ? undefined : text;
  }
  for (const { id, path } of clips)
    if (!seen.has(id))
      problems.push({
        id,
        file: path,
        kind: "audio-without-transcript",
        message: `${path} must have a transcript, but ${transcriptFile} has no line for ${id}.`,
      });
}

function clipOf({ directory, speaker, chapter }: Chapter, name: string): Clip {
  return {
    id: name.slice(0, -FLAC.length),
    path: `${directory}/${name}`,
    text: undefined,
    split: undefined,
    speaker,
    chapter,
    start: undefined,
    end: undefined,
    columns: undefined,
    where: undefined,
  };
}

/** Audio that is in no chapter by its name. What was converted to a .flac file beside it is none. */
function reportMisplaced(
  directory: string,
  files: readonly string[],
  problems: CorpusProblem[],
  isOurs: (name: string) => boolean = () => false,
): void {
  const names = new Set(files);
  for (const name of audioNames(files)) {
    const isFlac = name.endsWith(FLAC);
    if (isOurs(name) || (!isFlac && names.has(stemOf(name) + FLAC))) continue;
    const file = join(directory, name);
    problems.push({
      id: stemOf(name),
      file,
      kind: "misplaced-audio",
      message: isFlac
        ? `${file} must lie at <speaker>/<chapter>/<speaker>-<chapter>-<utterance>.flac, ` +
          "but its name and directory differ. Move or rename it."
        : `${file} must be a .flac file, as all audio in LibriSpeech's layout, but is none. Convert it with: ` +
          `ffmpeg -i ${shellName(file)} ${shellName(`${join(directory, stemOf(name))}${FLAC}`)}`,
    });
  }
}
