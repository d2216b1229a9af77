import { listOf, requireArguments } from "../argument-kinds.js";
import type { ClipSource } from "../audio/sources/clip-source.js";
import type { CodedClip } from "./coded-clip.js";
import type { RunDescription, RunEnd } from "./run-description.js";
import { SINK } from "./sink-kind.js";
import type { SystemReading } from "./system/system-reading.js";

/** One utterance as it was recognised during an evaluation. */
export interface RecognizedUtterance extends ClipSource {
  id: string;
  reference: string;
  hypothesis: string;
}

/** Where something was seen in the metrics that looks wrong, and the name it goes by. */
export interface Finding {
  step: number;
  name: string;
}

/** How values are spread: `counts[i]` of them lie from `edges[i]` to `edges[i + 1]`. */
export interface Histogram {
  /** [bins + 1], rising */
  edges: readonly number[];
  /** [bins] */
  counts: readonly number[];
}

/**
 * Where a run reports to. Training code logs here once and knows nothing of terminals, files and services. Metric names
 * are those of docs/run-directory.md; values of a validation carry the prefix `eval/`.
 */
export interface Tracker {
  /**
   * What is trained, before anything is logged. Where this is a new process of a run, `run.resumed` says so.
   *
   * @throws UserError where the tracker will never take anything, such as with a wrong key
   */
  begin(run: RunDescription): Promise<void>;
  log(metrics: Readonly<Record<string, number>>, step: number): void;
  /** How many steps the run has, once that is known. */
  planned(steps: number): void;
  /** That a run goes on behind a step, and up to which one it had validated; what comes after is done anew. */
  resumed(at: { step: number; evaluated: number }): void;
  /**
   * That something is as it should be: which model, how many clips, from which step on. A sink that does not tell it from
   * other remarks gets it as a {@link note}.
   */
  tell(text: string): void;
  /**
   * A remark for people: what was dropped, what was saved, what looks wrong.
   *
   * @param finding makes it a warning of the run, which its report shows
   */
  note(text: string, finding?: Finding): void;
  /** A few recognised utterances of a validation, so that one sees what an error rate means. */
  transcripts(samples: readonly RecognizedUtterance[], step: number): void;
  /** How often each entry of each codebook was chosen over a validation of pre-training, [groups][entries]. */
  codebooks(counts: readonly (readonly number[])[], step: number): void;
  /** A few clips of a validation of pre-training, so that one sees what was hidden and what was found. */
  codedClips(clips: readonly CodedClip[], step: number): void;
  /** How the values of weights and gradients are spread, by names such as `weights/lm_head.weight`. */
  histograms(histograms: Readonly<Record<string, Histogram>>, step: number): void;
  /** How the machines are: a reading of each process that trains, from time to time. */
  system(readings: readonly SystemReading[], step: number): void;
  /** That a model was written. @param directory in Hugging Face's layout */
  saved(kind: "best" | "final", directory: string, step: number): void;
  /** How the run ended; only {@link close} comes behind. */
  end(end: RunEnd): void;
  /** Finishes what is pending. A run closes its tracker when it has ended or failed; a tracker can be closed twice. */
  close(): Promise<void>;
}

/**
 * A place that a run's things go to: what it can show of a {@link Tracker}. In a thread of its own it may take its time:
 * what comes next waits there for the promise.
 */
export type Sink = {
  [Name in keyof Tracker]?: (...values: Parameters<Tracker[Name]>) => void | Promise<void>;
};

const SINKS = listOf("trackers", SINK.holds);

/** Passes everything on to each of `sinks`, in order. What one rejects with later is thrown at the next call. */
export function combineTrackers(sinks: readonly Sink[]): Tracker {
  requireArguments("combineTrackers", { sinks: [sinks, SINKS] });
  let failure: { error: unknown } | undefined;
  const watch = (result: unknown): void => {
    if (result instanceof Promise)
      result.catch((error: unknown) => {
        failure ??= { error };
      });
  };
  const all =
    <Name extends Exclude<keyof Tracker, "begin" | "close">>(name: Name) =>
    (...values: Parameters<Tracker[Name]>): void => {
      if (failure && name !== "end") throw failure.error;
      for (const sink of sinks)
        watch((sink[name] as ((...values: unknown[]) => unknown) | undefined)?.(...values));
    };
  return {
    async begin(run) {
      for (const sink of sinks) await sink.begin?.(run);
    },
    log: all("log"),
    planned: all("planned"),
    resumed: all("resumed"),
    tell(text) {
      if (failure) throw failure.error;
      for (const sink of sinks) watch((sink.tell ?? sink.note)?.(text));
    },
    note: all("note"),
    transcripts: all("transcripts"),
    codebooks: all("codebooks"),
    codedClips: all("codedClips"),
    histograms: all("histograms"),
    system: all("system"),
    saved: all("saved"),
    end: all("end"),
    async close() {
      for (const sink of sinks) await sink.close?.();
      if (failure) throw failure.error;
    },
  };
}

/** Says nothing: of processes that train together, one reports for all. */
export const QUIET: Tracker = combineTrackers([]);

/** Whether metrics are those of a validation. */
export function areOfValidation(metrics: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(metrics).some((name) => name.startsWith("eval/"));
}
