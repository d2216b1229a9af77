/** One clip of speech and where it lies. */
export interface Utterance {
  /** Unique within its split; `<speaker>-<chapter>-<utterance>` in LibriSpeech. */
  id: string;
  /** The audio file. */
  path: string;
  /** Length in samples at 16 kHz. */
  samples: number;
  seconds: number;
  /** Seconds into the file at which the clip begins; absent at 0. */
  start?: number;
  /** Seconds into the file at which the clip ends; absent at the file's end. */
  end?: number;
  /** Of a part of a recording: the id of the whole. */
  partOf?: string;
  /** The transcript, words with one space between them; absent for unlabelled speech. */
  text?: string;
  /** Where a manifest has a column for it. */
  split?: string;
  speaker?: string;
  chapter?: string;
  /** What the columns hold that reading asked for: labels, for example. Empty ones are absent. */
  columns?: Readonly<Record<string, string>>;
}

export type TranscribedUtterance = Utterance & { text: string };
