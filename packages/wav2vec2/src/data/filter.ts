import type { Utterance } from "./utterance.js";

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
