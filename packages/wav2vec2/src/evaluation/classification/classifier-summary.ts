import type { ClassifiedClip, ClassifierResult } from "./classifier-result.js";

/** A label that was taken for another. */
export interface Confusion {
  reference: string;
  hypothesis: string;
  count: number;
}

/** Which labels of clips are taken for which, the most frequent first; none with labels of frames. */
export function confusionsOf({ clips, decisions, classes }: ClassifierResult): Confusion[] {
  if (decisions === "frames" || !classes) return [];
  const counts = new Map<string, Confusion>();
  for (const { reference, hypothesis, right } of clips) {
    if (right) continue;
    const key = JSON.stringify([reference, hypothesis]);
    const known = counts.get(key) ?? { reference, hypothesis, count: 0 };
    known.count++;
    counts.set(key, known);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count);
}

/** Clips that were taken for something else, those first where the model was surest; with labels of frames the worst first. */
export function wrongClips({ clips, decisions, classes }: ClassifierResult): ClassifiedClip[] {
  if (!classes) return [];
  const sign = decisions === "frames" ? 1 : -1;
  return clips.filter(({ right }) => !right).sort((a, b) => sign * (a.score - b.score));
}
