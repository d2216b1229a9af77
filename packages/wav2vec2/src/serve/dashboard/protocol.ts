/** What the dashboard's server tells its page; both are type-checked against this. */

import type { TrainedTask } from "../../tracking/trained-task.js";

/** How a run is doing: `stopped` ended without a word, as killed processes do. */
export type RunState = "running" | "finished" | "interrupted" | "failed" | "stopped";

/** A run in the list of runs. */
export interface RunSummary {
  /** Its directory below the runs directory, with `/` between; `.` for that itself. */
  id: string;
  name: string;
  state: RunState;
  task?: TrainedTask;
  step?: number;
  /** Of the whole run, where they are known. */
  steps?: number;
  /** The newest loss of training: that of CTC, or the contrastive one. */
  loss?: number;
  /** Word error rate of the newest validation, a share of one. */
  wer?: number;
  /** Of the newest validation of pre-training, a share of one. */
  accuracy?: number;
  /** When anything was last written, in milliseconds since 1970. */
  updated: number;
  /** How many things looked wrong. */
  findings: number;
}

/** What of the list of runs is new. */
export interface ListChange {
  /** Whether this is the whole list, not what changed in it. */
  whole: boolean;
  runs: RunSummary[];
  removed: string[];
}

/** The parts of a run that grow, each with a word that is another one when it has changed. */
export type Versions = Record<
  | "run"
  | "metrics"
  | "system"
  | "findings"
  | "transcripts"
  | "codebooks"
  | "coded-clips"
  | "histograms"
  | "log",
  string
>;

/** What a run is like now. */
export interface RunNow {
  summary: RunSummary;
  versions: Versions;
}

/** An event of the server: what is new in the list, or how a run is now; null where its directory is gone. */
export type DashboardEvent = { list: ListChange } | { id: string; run: RunNow | null };

/** A metric of a run as its lines have it. */
export interface MetricInfo {
  count: number;
  /** How often it was not a finite number. */
  gaps: number;
  /** The newest finite value. */
  latest?: number;
  lowest?: { value: number; step: number };
  highest?: { value: number; step: number };
}

export interface FindingLine {
  step: number;
  name: string;
  text: string;
}

/** All of a run but its curves and samples. */
export interface RunOverview extends RunNow {
  /** Of `run.json`; not there in runs of earlier versions. */
  description?: {
    host?: string;
    device?: string;
    processes?: number;
    command?: string[];
    versions?: Record<string, string>;
    parameters?: { all: number; trained: number };
    began?: number;
    ended?: number;
    reason?: string;
  };
  /** The text of `recipe.yaml`. */
  recipe: string;
  /** Its values by dotted key. */
  recipeValues: Record<string, string>;
  /** Seconds of training, without pauses. */
  seconds: number;
  /** Seconds of audio that were trained on. */
  audioSeconds: number;
  metrics: Record<string, MetricInfo>;
  /** By names such as `gpu.0.temp`, with ` rank 1` behind those of other processes than the first. */
  system: Record<string, MetricInfo>;
  findings: FindingLine[];
  /** Steps of validations that have samples. */
  steps: { transcripts: number[]; codedClips: number[] };
  /** Names of what has histograms. */
  histograms: string[];
}

/** What the x axis counts: steps, seconds of training without pauses, or hours of audio trained on. */
export type XAxis = "step" | "time" | "audio";

export interface Curve {
  x: number[];
  /** null where it was not finite */
  y: (number | null)[];
  /** The moving average at the same places, where one was asked for. */
  smooth?: (number | null)[];
  /** Points that these stand for. */
  count: number;
}

export interface Curves {
  version: string;
  /** The end of the x axis of the whole run. */
  last: number;
  curves: Record<string, Curve>;
}

export interface TranscriptSample {
  id: string;
  reference: string;
  hypothesis: string;
  audio?: string;
}

export interface ClipSample {
  id: string;
  seconds: number;
  waveform: [number, number][];
  masked: [number, number][];
  codes: number[][];
  found: boolean[];
  audio?: string;
}

/** How often each entry was chosen, [validations][groups][entries]; neighbours are added up where there are very many. */
export interface CodebookUse {
  steps: number[];
  counts: number[][][];
}

/** How the values of one tensor are spread over training. */
export interface HistogramSeries {
  steps: number[];
  histograms: { edges: number[]; counts: number[] }[];
}

export interface LogTail {
  text: string;
  /** Whether this is not all of the log. */
  cut: boolean;
}
