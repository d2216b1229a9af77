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
