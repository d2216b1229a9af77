import type { Precision } from "../precision/precision-names.js";
import type { Confusions } from "../text/scoring/confusions.js";
import type { TextErrors } from "../text/scoring/error-rate.js";
import type { Interval } from "./comparison/bootstrap.js";
import type { TextUnit } from "./text-unit.js";
import type { UnknownCharacters } from "./unknown-characters.js";

/** An utterance, what was recognised in it, and the errors in that. */
export interface EvaluatedUtterance extends TextErrors {
  id: string;
  /** As it is compared: normalised where that was asked for. */
  reference: string;
  hypothesis: string;
  split?: string;
  speaker?: string;
  /** The audio file, and where in it the clip begins and ends, in seconds. */
  path: string;
  start?: number;
  end?: number;
  seconds: number;
  /** Frames of the network's output. */
  frames: number;
  /** The share of frames whose likeliest token is the blank. */
  blankShare: number;
  /** From 0 to 1, see `greedyConfidence`. */
  confidence: number;
}

/** What utterances are worth together. */
export interface Scores extends TextErrors {
  /** Word errors over reference words, of all utterances together; of phoneme errors where texts are phonemes. */
  wer: number;
  cer: number;
  /** The share of utterances with at least one word error. */
  sentenceErrorRate: number;
}

export interface Evaluation extends Scores {
  utterances: EvaluatedUtterance[];
}

/** Scores of a part of the utterances. */
export interface GroupScores extends Scores {
  /** The split, the speaker, or the length in seconds such as "2-5". */
  name: string;
  utteranceCount: number;
  seconds: number;
  /** 95 %, by bootstrap over its utterances. */
  werInterval: Interval;
}

/** Everything that is said of a model on a split; what `--json` prints and `--output` keeps. */
export interface EvaluationResult extends Evaluation {
  model: string;
  data: string;
  split?: string;
  /** Number format of matrix products and convolutions, where one was asked for. */
  precision?: Precision;
  /** Where other than libtorch ran the network. */
  engine?: "onnx";
  /** What `words` and the word error rate count. */
  unit: TextUnit;
  /** How scores became words, under the names of a decoding file. */
  decoding: Record<string, unknown>;
  /** What was done to both sides before they were compared; functions by their names. */
  textNormalization: string[];
  /** 95 % */
  werInterval: Interval;
  bootstrap: { by: "utterance" | "speaker"; resamples: number; seed: number };
  utteranceCount: number;
  seconds: number;
  blankShare: number;
  /** The mean of the utterances'. */
  confidence: number;
  /** CTC loss of an utterance, the mean. */
  ctcLoss: number;
  groups: { split: GroupScores[]; speaker: GroupScores[]; length: GroupScores[] };
  confusions: Confusions;
  unknownCharacters: UnknownCharacters;
  /** Clips that could not be used. */
  skipped: { id: string; message: string }[];
}
