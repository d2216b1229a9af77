import type { CorpusProblem } from "./corpus-problem.js";

/** A clip as a corpus lists it, before the header of its audio file is read. */
export interface Clip {
  id: string;
  /** The audio file. */
  path: string;
  /** Absent where none is wanted, or where a problem with it was found. */
  text: string | undefined;
  speaker: string | undefined;
  chapter: string | undefined;
  /** Of a manifest's column. */
  split: string | undefined;
  /** Seconds into the file; absent at its beginning and end. */
  start: number | undefined;
  end: number | undefined;
  /** What the columns hold that were asked for; without those that are empty. */
  columns: Record<string, string> | undefined;
  /** Manifest and line, `train.csv:7`; absent where the audio file itself is all there is to point at. */
  where: string | undefined;
}

export interface FoundClips {
  clips: Clip[];
  problems: CorpusProblem[];
}

export interface FindOptions {
  /** Whether transcripts are read; without them none is missed either. */
  transcripts: "required" | "none";
  /** Names of columns to keep of each row. In a directory of audio, `label` is the name of a file's own directory. */
  columns?: readonly string[] | undefined;
}
