import type { Utterance } from "../utterance.js";
import { type Distribution, distribution, type Histogram, histogram } from "./distribution.js";

/** What there is in a split. */
export interface SplitStats {
  name: string;
  utterances: number;
  hours: number;
  /** Seconds an utterance. */
  duration: Distribution;
  durations: Histogram;
  /** Hours of each speaker, most first; empty where the corpus does not tell. */
  speakers: { speaker: string; hours: number }[];
  minutesPerSpeaker: Distribution;
  /** Absent without transcripts. */
  transcripts?: {
    words: number;
    distinctWords: number;
    /** Of each utterance, spaces among them. */
    charactersPerSecond: Distribution;
    /** How often each is there, most first. */
    characters: { character: string; count: number }[];
  };
}

const MOST_BINS = 25;

export function splitStats(name: string, utterances: readonly Utterance[]): SplitStats {
  const durations = utterances.map(({ seconds }) => seconds);
  const speakers = hoursOfSpeakers(utterances);
  const transcripts = transcriptStats(utterances);
  return {
    name,
    utterances: utterances.length,
    hours: durations.reduce((sum, seconds) => sum + seconds, 0) / 3600,
    duration: distribution(durations),
    durations: histogram(durations, MOST_BINS),
    speakers,
    minutesPerSpeaker: distribution(speakers.map(({ hours }) => hours * 60)),
    ...(transcripts && { transcripts }),
  };
}

function hoursOfSpeakers(utterances: readonly Utterance[]): SplitStats["speakers"] {
  const seconds = new Map<string, number>();
  for (const clip of utterances)
    if (clip.speaker !== undefined)
      seconds.set(clip.speaker, (seconds.get(clip.speaker) ?? 0) + clip.seconds);
  return [...seconds]
    .map(([speaker, sum]) => ({ speaker, hours: sum / 3600 }))
    .sort((a, b) => b.hours - a.hours || (a.speaker < b.speaker ? -1 : 1));
}

function transcriptStats(utterances: readonly Utterance[]): SplitStats["transcripts"] {
  const words = new Set<string>();
  const counts = new Map<string, number>();
  const rates: number[] = [];
  let spoken = 0;
  for (const { text, seconds } of utterances) {
    if (text === undefined) continue;
    let length = 0;
    for (const character of text) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
      length++;
    }
    rates.push(length / seconds);
    for (const word of text.split(" ")) {
      words.add(word);
      spoken++;
    }
  }
  if (rates.length === 0) return undefined;
  return {
    words: spoken,
    distinctWords: words.size,
    charactersPerSecond: distribution(rates),
    characters: [...counts]
      .map(([character, count]) => ({ character, count }))
      .sort((a, b) => b.count - a.count || (a.character < b.character ? -1 : 1)),
  };
}
