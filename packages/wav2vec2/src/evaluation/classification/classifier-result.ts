import type { ClassificationTask } from "../../model/heads/classification-task.js";
import type { Interval } from "../comparison/bootstrap.js";
import type { BootstrapUnit } from "../summary.js";
import type { ClassScores } from "./class-scores.js";
import type { VerificationScores } from "./verification.js";

/** A clip, what it is, and what it was taken for. */
export interface ClassifiedClip {
  id: string;
  /** The audio file, and where in it the clip begins and ends, in seconds. */
  path: string;
  start?: number;
  end?: number;
  seconds: number;
  split?: string;
  speaker?: string;
  /** Its label; with labels of frames the segments, as text. */
  reference: string;
  hypothesis: string;
  /** Of the label that it was given: probability, of a speaker cosine; with labels of frames the share of right frames. */
  score: number;
  right: boolean;
}

/** How well labels are found, with 95 % intervals by bootstrap. */
export interface ClassEvaluation extends ClassScores {
  accuracyInterval: Interval;
  macroF1Interval: Interval;
  /** How often each label was taken for each, [reference][hypothesis]; only where a decision has one label, of up to 100. */
  confusion?: number[][];
}

export interface VerificationEvaluation extends VerificationScores {
  equalErrorRateInterval: Interval;
  minDcfInterval: Interval;
}

/** Everything that is said of a classifier on a split; what `--json` prints and `--output` keeps. */
export interface ClassifierResult {
  task: ClassificationTask;
  model: string;
  data: string;
  split?: string;
  /** Where the labels stand in the corpus. */
  column: string;
  /** Of the head, by id. */
  labels: readonly string[];
  /** What is counted: clips, or their frames. */
  decisions: "clips" | "frames";
  /** Absent where speakers are others than those that the model was trained on. */
  classes?: ClassEvaluation;
  /** Of the task speaker. */
  verification?: VerificationEvaluation;
  bootstrap: { by: BootstrapUnit; resamples: number; seed: number };
  clipCount: number;
  seconds: number;
  clips: ClassifiedClip[];
  /** Clips that could not be used. */
  skipped: { id: string; message: string }[];
}
