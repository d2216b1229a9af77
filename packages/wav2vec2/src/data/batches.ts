import { SAMPLE_RATE } from "../audio/audio-file.js";
import { Random } from "./random.js";
import type { Utterance } from "./utterance.js";

// Lengths are blurred by up to this share before sorting, so that batches differ from epoch to epoch; the
// padding it costs is about half of it.
const LENGTH_JITTER = 0.05;

export interface BatchOptions {
  /** A batch's padded length, longest clip x clips, stays within this many seconds. */
  batchSeconds: number;
  seed: number;
  /** Each epoch groups and orders anew. */
  epoch: number;
  maxUtterances?: number;
}

/**
 * Groups clips of similar length into batches, in shuffled order. The same seed and epoch always give the
 * same batches; each utterance comes exactly once. A clip longer than `batchSeconds` makes a batch alone.
 * @returns indices into `utterances`, a list a batch
 */
export function lengthBucketedBatches(
  utterances: readonly Pick<Utterance, "samples">[],
  { batchSeconds, seed, epoch, maxUtterances = Number.POSITIVE_INFINITY }: BatchOptions,
): number[][] {
  if (!(batchSeconds > 0)) throw new RangeError(`batchSeconds must be positive, but is ${batchSeconds}.`);
  if (!(maxUtterances >= 1))
    throw new RangeError(`maxUtterances must be at least 1, but is ${maxUtterances}.`);
  const random = new Random(seed, "batches", epoch);
  const byLength = utterances
    .map(({ samples }, index) => ({ index, samples, key: samples * (1 + LENGTH_JITTER * random.uniform()) }))
    .sort((a, b) => a.key - b.key || a.index - b.index);

  const limit = batchSeconds * SAMPLE_RATE;
  const batches: number[][] = [];
  let batch: number[] = [];
  let longest = 0;
  for (const { index, samples } of byLength) {
    longest = Math.max(longest, samples);
    if (batch.length > 0 && (longest * (batch.length + 1) > limit || batch.length >= maxUtterances)) {
      batches.push(batch);
      batch = [];
      longest = samples;
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return random.shuffle(batches);
}

/** The share of padding in the batches: 1 - samples / (longest clip x clips), over all of them. */
export function paddingShare(
  utterances: readonly Pick<Utterance, "samples">[],
  batches: readonly (readonly number[])[],
): number {
  let samples = 0;
  let padded = 0;
  for (const batch of batches) {
    const lengths = batch.map((index) => utterances[index]!.samples);
    samples += lengths.reduce((sum, length) => sum + length, 0);
    padded += lengths.reduce((longest, length) => Math.max(longest, length), 0) * lengths.length;
  }
  return padded === 0 ? 0 : 1 - samples / padded;
}
