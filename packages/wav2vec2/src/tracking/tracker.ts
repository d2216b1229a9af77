import type { CodedClip } from "./coded-clip.js";

/** One utterance as it was recognised during an evaluation. */
export interface Transcript {
  id: string;
  reference: string;
  hypothesis: string;
}

/** Where something was seen in the metrics that looks wrong, and the name it goes by. */
export interface Finding {
  step: number;
  name: string;
}

/**
 * Where a run reports to. Training code logs here once and knows nothing of terminals and files. Metric names
 * are those of docs/architecture.md, "A run directory"; values of a validation carry the prefix `eval/`.
 */
export interface Tracker {
  log(metrics: Readonly<Record<string, number>>, step: number): void;
  /** How many steps the run has, once that is known. */
  planned?(steps: number): void;
  /** That a run goes on behind a step, and up to which one it had validated; what comes after is done anew. */
  resumed?(at: { step: number; evaluated: number }): void;
  /**
   * A remark for people: what was dropped, what was saved, what looks wrong.
   *
   * @param finding makes it a warning of the run, which its report shows
   */
  note(text: string, finding?: Finding): void;
  /** A few recognised utterances of a validation, so that one sees what an error rate means. */
  transcripts(samples: readonly Transcript[], step: number): void;
  /** How often each entry of each codebook was chosen over a validation of pre-training, [groups][entries]. */
  codebooks(counts: readonly (readonly number[])[], step: number): void;
  /** A few clips of a validation of pre-training, so that one sees what was hidden and what was found. */
  codedClips(clips: readonly CodedClip[], step: number): void;
  /** Finishes what is pending. A tracker can be closed twice. */
  close(): Promise<void>;
}

/** Says nothing: of processes that train together, one reports for all. */
export const QUIET: Tracker = {
  log() {},
  note() {},
  transcripts() {},
  codebooks() {},
  codedClips() {},
  close: async () => {},
};

/** Passes everything on to each of `trackers`, in order. */
export function combineTrackers(trackers: readonly Tracker[]): Tracker {
  return {
    log(metrics, step) {
      for (const tracker of trackers) tracker.log(metrics, step);
    },
    planned(steps) {
      for (const tracker of trackers) tracker.planned?.(steps);
    },
    resumed(at) {
      for (const tracker of trackers) tracker.resumed?.(at);
    },
    note(text, finding) {
      for (const tracker of trackers) tracker.note(text, finding);
    },
    transcripts(samples, step) {
      for (const tracker of trackers) tracker.transcripts(samples, step);
    },
    codebooks(counts, step) {
      for (const tracker of trackers) tracker.codebooks(counts, step);
    },
    codedClips(clips, step) {
      for (const tracker of trackers) tracker.codedClips(clips, step);
    },
    async close() {
      for (const tracker of trackers) await tracker.close();
    },
  };
}
