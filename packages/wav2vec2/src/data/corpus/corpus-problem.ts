export type ProblemKind =
  | "audio-without-transcript"
  | "transcript-without-audio"
  | "transcript-without-text"
  | "unreadable-transcripts"
  | "unreadable-directory"
  /** Names of files that are not UTF-8. */
  | "undecodable-name"
  | "duplicate-id"
  | "unknown-id"
  | "misplaced-audio"
  | "missing-audio"
  | "empty-file"
  | "corrupt-header"
  /** A transcript that is no text: a NUL character, or longer than any speech. */
  | "invalid-text"
  /** A line of a manifest that cannot be read as one. */
  | "manifest-row"
  /** A part of a file that is not within it. */
  | "segment";

export interface CorpusProblem {
  id: string;
  file: string;
  kind: ProblemKind;
  /** A whole sentence that names the file, and the line in a transcript file or manifest. */
  message: string;
}
