/** One clip of speech and where it lies. */
export interface Utterance {
  /** `<speaker>-<chapter>-<utterance>` in LibriSpeech. */
  id: string;
  speaker: string;
  chapter: string;
  /** The audio file. */
  path: string;
  /** Length in samples at 16 kHz. */
  samples: number;
  seconds: number;
  /** The transcript, words with one space between them; absent for unlabelled speech. */
  text?: string;
}

export type TranscribedUtterance = Utterance & { text: string };
