import { stat } from "node:fs/promises";
import { join } from "node:path";
import { SAMPLE_RATE } from "../audio/audio-file.js";
import { type FlacInfo, readFlacInfo } from "../audio/flac.js";
import { UserError } from "../errors.js";
import { findSplit, listDirectory } from "./librispeech-splits.js";
import { mapConcurrent } from "./map-concurrent.js";
import { readTranscripts, type TranscriptLine } from "./transcripts.js";
import type { TranscribedUtterance } from "./utterance.js";

const HEADERS_AT_ONCE = 32;

export type ProblemKind =
  | "audio-without-transcript"
  | "transcript-without-audio"
  | "transcript-without-text"
  | "unreadable-transcripts"
  | "duplicate-id"
  | "misplaced-audio"
  | "empty-file"
  | "corrupt-header"
  | "sample-rate";

export interface CorpusProblem {
  id: string;
  file: string;
  kind: ProblemKind;
  /** A whole sentence that names the file, and the line in a transcript file. */
  message: string;
}

export interface CorpusCheck {
  /** Those without a problem, sorted by id. */
  utterances: TranscribedUtterance[];
  /** Sorted by file. */
  problems: CorpusProblem[];
}

/**
 * Reads a split in LibriSpeech's layout, `<split>/<speaker>/<chapter>/<speaker>-<chapter>-<utterance>.flac`
 * beside `<speaker>-<chapter>.trans.txt` (https://www.openslr.org/12). Lengths come from the FLAC headers.
 * @param root the directory that holds `LibriSpeech/<split>` or `<split>`
 * @returns the utterances sorted by id
 * @throws UserError on an unknown split, an empty one, or any problem that {@link checkLibriSpeech} finds:
 * the first one and the number of others
 */
export async function readLibriSpeech(root: string, split: string): Promise<TranscribedUtterance[]> {
  const { utterances, problems } = await checkLibriSpeech(root, split);
  const [first] = problems;
  if (first) {
    const others = problems.length - 1;
    const more =
      others === 0 ? "" : ` There ${others === 1 ? "is 1 more problem" : `are ${others} more problems`}.`;
    throw new UserError(`${first.message}${more}`);
  }
  if (utterances.length === 0)
    throw new UserError(`split ${split} in ${root} must hold utterances, but holds no .flac file.`);
  return utterances;
}

/**
 * Finds everything that is wrong with a split, short of decoding its audio.
 * @throws UserError on an unknown split or an unreadable directory
 */
export async function checkLibriSpeech(root: string, split: string): Promise<CorpusCheck> {
  const directory = await findSplit(root, split);
  const { directories: speakers, files: strays } = await listDirectory(directory);
  const problems = misplacedAudio(directory, strays);
  const clips: Clip[] = [];
  for (const speaker of speakers) {
    const { directories, files } = await listDirectory(join(directory, speaker));
    problems.push(...misplacedAudio(join(directory, speaker), files));
    for (const chapter of directories) {
      const found = await readChapter(join(directory, speaker, chapter), speaker, chapter);
      clips.push(...found.clips);
      problems.push(...found.problems);
    }
  }
  const utterances: TranscribedUtterance[] = [];
  const headers = await mapConcurrent(clips, HEADERS_AT_ONCE, ({ path }) => readHeader(path));
  for (const [index, header] of headers.entries()) {
    const clip = clips[index]!;
    if ("kind" in header) problems.push({ id: clip.id, file: clip.path, ...header });
    else if (clip.text !== undefined) {
      const { samples } = header;
      utterances.push({ ...clip, text: clip.text, samples, seconds: samples / SAMPLE_RATE });
    }
  }
  return {
    utterances: utterances.sort((a, b) => order(a.id, b.id)),
    problems: problems.sort((a, b) => order(a.file, b.file)),
  };
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Clip {
  id: string;
  speaker: string;
  chapter: string;
  path: string;
  /** Absent where a problem with the transcript was found. */
  text: string | undefined;
}

async function readChapter(
  directory: string,
  speaker: string,
  chapter: string,
): Promise<{ clips: Clip[]; problems: CorpusProblem[] }> {
  const prefix = `${speaker}-${chapter}-`;
  const audio = (await listDirectory(directory)).files.filter((name) => name.endsWith(".flac"));
  const inPlace = audio.filter((name) => name.startsWith(prefix));
  const problems = misplacedAudio(
    directory,
    audio.filter((name) => !name.startsWith(prefix)),
  );
  const transcriptFile = join(directory, `${speaker}-${chapter}.trans.txt`);
  let lines: TranscriptLine[] = [];
  try {
    lines = await readTranscripts(transcriptFile);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push({
      id: `${speaker}-${chapter}`,
      file: transcriptFile,
      kind: "unreadable-transcripts",
      message: error.message,
    });
    const clips = inPlace.map((name) => clipOf(directory, speaker, chapter, name));
    return { clips, problems }; // one problem stands for all clips of the chapter
  }

  const texts = new Map<string, TranscriptLine>();
  for (const line of lines) {
    const { id, text } = line;
    const where = `${transcriptFile}:${line.line}`;
    const found = (kind: ProblemKind, message: string) =>
      problems.push({ id, file: transcriptFile, kind, message });
    const earlier = texts.get(id);
    if (earlier)
      found(
        "duplicate-id",
        `${where}: utterance ${id} must stand once, but stands at line ${earlier.line} too.`,
      );
    texts.set(id, earlier ? { ...earlier, text: "" } : line); // which of two texts is meant, nobody knows
    if (!text)
      found(
        "transcript-without-text",
        `${where}: utterance ${id} must have a transcript, but has only an id.`,
      );
    if (!earlier && !inPlace.includes(`${id}.flac`))
      found(
        "transcript-without-audio",
        `${where}: utterance ${id} must have audio at ${join(directory, `${id}.flac`)}, but the file does not exist.`,
      );
  }
  const clips = inPlace.map((name) => {
    const clip = clipOf(directory, speaker, chapter, name);
    const line = texts.get(clip.id);
    if (!line)
      problems.push({
        id: clip.id,
        file: clip.path,
        kind: "audio-without-transcript",
        message: `${clip.path} must have a transcript, but ${transcriptFile} has no line for ${clip.id}.`,
      });
    return { ...clip, text: line?.text || undefined };
  });
  return { clips, problems };
}

function clipOf(directory: string, speaker: string, chapter: string, name: string): Clip {
  return {
    id: name.slice(0, -".flac".length),
    speaker,
    chapter,
    path: join(directory, name),
    text: undefined,
  };
}

function misplacedAudio(directory: string, files: string[]): CorpusProblem[] {
  return files
    .filter((name) => name.endsWith(".flac"))
    .map((name) => ({
      id: name.slice(0, -".flac".length),
      file: join(directory, name),
      kind: "misplaced-audio",
      message:
        `${join(directory, name)} must lie at <speaker>/<chapter>/<speaker>-<chapter>-<utterance>.flac, ` +
        "but its name and directory differ. Move or rename it.",
    }));
}

/** The header, or what is wrong with it. */
async function readHeader(path: string): Promise<FlacInfo | { kind: ProblemKind; message: string }> {
  let info: FlacInfo;
  try {
    info = await readFlacInfo(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const size = await stat(path).then(
      (file) => file.size,
      () => undefined,
    );
    return { kind: size === 0 ? "empty-file" : "corrupt-header", message: error.message };
  }
  if (info.sampleRate !== SAMPLE_RATE)
    return {
      kind: "sample-rate",
      message:
        `sample rate of ${path} must be ${SAMPLE_RATE} Hz, but is ${info.sampleRate} Hz. ` +
        `Convert it with: ffmpeg -i ${path} -ar ${SAMPLE_RATE} -ac 1 OUTPUT.flac`,
    };
  if (info.samples === 0)
    return { kind: "empty-file", message: `${path} must hold audio, but its header says 0 samples.` };
  return info;
}
