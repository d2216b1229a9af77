import { SAMPLE_RATE } from "../../audio/audio-file.js";
import type { Utterance } from "../utterance.js";

export interface DurationFilter<T> {
  kept: T[];
  tooShort: number;
  tooLong: number;
}

/** Keeps the utterances of `minSeconds` to `maxSeconds`, both included, and counts the others. */
export function filterByDuration<T extends Pick<Utterance, "seconds">>(
  utterances: readonly T[],
  { minSeconds, maxSeconds }: { minSeconds: number; maxSeconds: number },
): DurationFilter<T> {
  const kept = utterances.filter(({ seconds }) => seconds >= minSeconds && seconds <= maxSeconds);
  const tooShort = utterances.filter(({ seconds }) => seconds < minSeconds).length;
  return { kept, tooShort, tooLong: utterances.length - kept.length - tooShort };
}

// Whole numbers of samples at all common rates, so that files of other rates are as long at 16 kHz as told.
const CUTS_PER_SECOND = 25;

/**
 * Cuts utterances that are longer than `maxSeconds` to the last 40 ms below it. What they say at their ends is lost:
 * only for speech without transcripts.
 */
export function truncateDuration(utterances: readonly Utterance[], maxSeconds: number): Utterance[] {
  const seconds = Math.floor(maxSeconds * CUTS_PER_SECOND + 1e-9) / CUTS_PER_SECOND;
  return utterances.map((utterance) =>
    utterance.seconds <= maxSeconds
      ? utterance
      : {
          ...utterance,
          end: (utterance.start ?? 0) + seconds,
          samples: Math.round(seconds * SAMPLE_RATE),
          seconds,
        },
  );
}

/**
 * Divides unlabelled utterances that hold `seconds` at least twice into so many parts of about equal length, each at
 * least `seconds` less 40 ms long, so that all of an hour's recording is trained on and a part of it is read at a time.
 * Their ids are the utterance's with the part's first and last second.
 */
export function divideLong(utterances: readonly Utterance[], seconds: number): Utterance[] {
  return utterances.flatMap((utterance) => {
    const parts = Math.floor(utterance.seconds / seconds);
    if (parts < 2) return [utterance];
    const begin = utterance.start ?? 0;
    const cut = (part: number) =>
      Math.floor((part * utterance.seconds * CUTS_PER_SECOND) / parts) / CUTS_PER_SECOND;
    return Array.from({ length: parts }, (_, part) => {
      const from = cut(part);
      const last = part === parts - 1;
      const to = last ? utterance.seconds : cut(part + 1);
      const samples =
        (last ? utterance.samples : Math.round(to * SAMPLE_RATE)) - Math.round(from * SAMPLE_RATE);
      const id = `${utterance.id}@${(begin + from).toFixed(2)}-${(begin + to).toFixed(2)}`;
      const piece = {
        ...utterance,
        id,
        partOf: utterance.id,
        start: begin + from,
        samples,
        seconds: samples / SAMPLE_RATE,
      };
      return last ? piece : { ...piece, end: begin + to }; // the last ends where the utterance does
    });
  });
}
