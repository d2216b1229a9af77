import type { CorpusProblem, ProblemKind } from "../corpus/corpus-problem.js";

/** What only decoding a clip, comparing clips or reading their transcripts shows. */
export type ClipFault =
  /** No audio file, in a format that is not read, or with samples that are not finite. */
  | "unreadable-audio"
  /** It ends before its header says so. */
  | "truncated-audio"
  /** Checksums or MD5 do not fit the samples. */
  | "corrupt-audio"
  /** Its channels are each other's negative: their average is silence. */
  | "cancelled-channels"
  | "silent"
  | "clipped"
  /** The samples of another clip, and its transcript. */
  | "duplicate-audio"
  /** The samples of another clip with another transcript: one of the two must be wrong. */
  | "contradictory-transcripts"
  | "control-character"
  | "unknown-character";

/** A clip that should not be trained on as it is. */
export type CheckProblem = Omit<CorpusProblem, "kind"> & { kind: ProblemKind | ClipFault };

/** Worth knowing, but nothing that spoils training. */
export interface Remark extends Omit<CorpusProblem, "kind"> {
  kind:
    | "resampled"
    | "narrow-band"
    | "dc-offset"
    | "speaking-rate"
    | "open-end"
    /** A letter is encoded in several ways. */
    | "several-forms"
    /** Letters are encoded in another way than in the vocabulary. */
    | "other-form";
}

/** What was found in some clips. */
export interface Findings {
  problems: CheckProblem[];
  remarks: Remark[];
}
