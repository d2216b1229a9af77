import { ConfigurationError } from "../../errors.js";

/** A stretch of a recording, in seconds from its beginning. */
export interface TimedText {
  text: string;
  start: number;
  end: number;
  /** From 0 to 1. */
  confidence: number;
}

export interface TimedWord extends TimedText {
  characters: readonly TimedText[];
}

/** What was said from `start` to `end`, in seconds. */
export interface Transcript {
  text: string;
  start: number;
  end: number;
  /** In order and without overlap; empty where they were not asked for. */
  words: readonly TimedWord[];
}

/** A word of a transcript, and what is between it and the one before. */
export interface SpacedWord extends TimedWord {
  /** Whether a space stands before it; false of the first, and in writing without spaces. */
  spaced: boolean;
}

/** Words with what the text has between them: of words that the text does not have, a space. */
export function spacedWords(text: string, words: readonly TimedWord[]): SpacedWord[] {
  let at = 0;
  return words.map((word, index) => {
    const found = text.indexOf(word.text, at);
    const spaced = index > 0 && found !== at;
    if (found >= 0) at = found + word.text.length;
    return { ...word, spaced };
  });
}

/** What was said in a whole recording. */
export interface RecordingTranscript extends Transcript {
  /** Its pieces, which pauses divide; one where it fits a window. */
  segments: readonly Transcript[];
}

/**
 * The words of a transcript, for formats that are made of their times.
 *
 * @throws ConfigurationError where it has text and no words: nothing would be written, in silence
 */
export function wordsOf({ text, words }: Transcript, format: string): readonly TimedWord[] {
  if (words.length > 0 || text.trim() === "") return words;
  throw new ConfigurationError(
    `The words of a transcript must be there for ${format}, but it has its text alone. Transcribe with words: true.`,
  );
}

/**
 * Writes transcripts of a recording as they come: what `begin`, `add` and `end` return, in a row, is the file.
 */
export interface TranscriptWriter {
  begin(): string;
  /** @param transcript behind all that were added before */
  add(transcript: Transcript): string;
  /** @param error what kept the rest of the recording from being recognised; formats with a place for it say it */
  end(error?: string): string;
}
