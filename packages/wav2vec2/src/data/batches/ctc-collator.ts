import {
  FUNCTION,
  isObject,
  listOf,
  requireArguments,
  requireKind,
  SAMPLES,
  UTTERANCES,
  whole,
} from "../../argument-kinds.js";
import { ConfigurationError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import type { TranscribedUtterance } from "../utterance.js";
import { type Allocate, padClips } from "./pad-clips.js";

/** One clip ready for CTC. */
export interface CtcItem {
  id: string;
  /** [samples], normalised where the model wants it. */
  samples: Float32Array;
  /** [labels], without blanks. */
  labels: Int32Array;
}

export interface CtcBatch {
  ids: string[];
  /** [batch * paddedLength], row by row, zero-padded at the end of each row. */
  input: Float32Array;
  /** Samples of the longest clip. */
  paddedLength: number;
  /** [batch], the clips' lengths in samples. */
  lengths: Int32Array;
  /** [sum of labelLengths], the clips' labels one after another, as torch.nn.functional.ctc_loss takes them. */
  labels: Int32Array;
  /** [batch] */
  labelLengths: Int32Array;
}

export interface CtcCollation {
  /**
   * Shorter clips are lengthened to this with zeros, which count as audio: the feature encoder needs 400 samples for its
   * first frame.
   */
  minimumSamples: number;
}

const COLLATION = {
  task: true, // of a preparation's collation
  minimumSamples: true,
  allocate: FUNCTION,
} satisfies KnownOptions<CtcCollation & { task?: unknown; allocate?: Allocate | undefined }>;

const CTC_ITEMS = listOf(
  "clips { id, samples, labels }",
  (item) => isObject(item) && SAMPLES.holds(item.samples) && isObject(item.labels) && "length" in item.labels,
);

/** Puts clips of different lengths into one zero-padded batch. */
export function collateCtc(
  items: readonly CtcItem[],
  options: CtcCollation & { allocate?: Allocate | undefined },
): CtcBatch {
  requireArguments("collateCtc", { items: [items, CTC_ITEMS] });
  requireOptions("collateCtc", options, COLLATION);
  requireKind("minimumSamples of collateCtc", options.minimumSamples, whole(0));
  const { minimumSamples, allocate } = options;
  if (items.length === 0)
    throw new ConfigurationError("items of collateCtc must hold at least one clip, but is empty.");
  const lengths = Int32Array.from(items, ({ samples }) => Math.max(samples.length, minimumSamples));
  const paddedLength = lengths.reduce((longest, length) => Math.max(longest, length), 0);
  const clips = items.map(({ samples }) => samples);
  const input = padClips(clips, paddedLength, allocate);
  const labelLengths = Int32Array.from(items, ({ labels }) => labels.length);
  const labels = new Int32Array(labelLengths.reduce((sum, length) => sum + length, 0));
  let labelStart = 0;
  for (const item of items) {
    labels.set(item.labels, labelStart);
    labelStart += item.labels.length;
  }
  return { ids: items.map(({ id }) => id), input, paddedLength, lengths, labels, labelLengths };
}

export interface ImpossibleTarget {
  id: string;
  /** Frames that the clip has. */
  frames: number;
  /** Frames that its labels need. */
  needed: number;
}

/**
 * Drops utterances whose labels no CTC path fits: a path needs a frame a label and a blank between equal
 * neighbours (https://www.cs.toronto.edu/~graves/icml_2006.pdf, section 3.1); the loss would be infinite.
 * @param frameCount frames that the model makes of a clip of so many samples
 * @param encode the labels of a transcript
 */
export function dropImpossibleTargets<T extends Pick<TranscribedUtterance, "id" | "samples" | "text">>(
  utterances: readonly T[],
  frameCount: (samples: number) => number,
  encode: (text: string, id: string) => Int32Array,
): { kept: T[]; dropped: ImpossibleTarget[] } {
  requireArguments("dropImpossibleTargets", {
    utterances: [utterances, UTTERANCES],
    frameCount: [frameCount, FUNCTION],
    encode: [encode, FUNCTION],
  });
  const kept: T[] = [];
  const dropped: ImpossibleTarget[] = [];
  for (const utterance of utterances) {
    const { id, samples, text } = utterance;
    const frames = frameCount(samples);
    const needed = framesNeeded(encode(text, id));
    if (frames < needed) dropped.push({ id, frames, needed });
    else kept.push(utterance);
  }
  return { kept, dropped };
}

function framesNeeded(labels: Int32Array): number {
  return labels.reduce((needed, label, i) => needed + (label === labels[i - 1] ? 2 : 1), 0);
}
