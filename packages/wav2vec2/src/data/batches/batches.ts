import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { UserError } from "../../errors.js";
import { Random } from "../random.js";
import type { Utterance } from "../utterance.js";

// Lengths are blurred by up to this share before sorting, so that batches differ from epoch to epoch; the
// padding it costs is about half of it.
const LENGTH_JITTER = 0.05;

/** At least one of them. */
export interface BatchLimits {
  /** A batch's padded length, longest clip x clips, stays within this many seconds. */
  batchSeconds?: number | undefined;
  /** Clips of a batch. With this limit alone a batch of long clips takes many times the memory of one of short clips. */
  batchSize?: number | undefined;
}

export interface BatchOptions extends BatchLimits {
  seed: number;
  /** Each epoch groups and orders anew. */
  epoch: number;
  /** Which of the `world` processes that share the utterances this is. Default: 0 */
  rank?: number | undefined;
  /** Default: 1 */
  world?: number | undefined;
  /** false puts clips of any length together, as they come or as `shuffle` orders them. Default: true */
  groupByLength?: boolean | undefined;
  /** false gives the same batches every epoch, longest clips first. Default: true */
  shuffle?: boolean | undefined;
}

/** A batch's place: training that starts there sees what it would have seen next. */
export interface BatchPosition {
  epoch: number;
  /** Batches of the epoch that lie before it, in each process. */
  batch: number;
}

export interface PlannedBatch extends BatchPosition {
  /** Into the utterances. */
  indices: number[];
}

/**
 * Groups clips of similar length (unless `groupByLength` is false) into batches, in shuffled order; the same seed and epoch always give the same. A clip
 * longer than `batchSeconds` makes a batch alone.
 *
 * Over all ranks each utterance comes exactly once, each rank gets as many batches, and at any step the ranks' batches
 * are neighbours in length, so that none waits for another. Where no batch within the limits can be divided any more
 * (batches of one clip, and a number of clips that the ranks do not divide), the shortest ones take a clip too many.
 *
 * @returns this rank's batches as indices into `utterances`
 * @throws RangeError for limits that fit nothing
 * @throws UserError for fewer utterances than processes
 */
export function lengthBucketedBatches(
  utterances: readonly Pick<Utterance, "samples">[],
  options: BatchOptions,
): number[][] {
  const { seed, epoch, rank = 0, world = 1, shuffle = true, groupByLength = true } = options;
  requireOptions(options);
  if (utterances.length < world && world > 1) {
    throw new UserError(
      `Utterances must be at least as many as the ${world} processes that share them, but are ` +
        `${utterances.length}. Use fewer processes.`,
    );
  }
  const random = new Random(seed, "batches", epoch);
  const order = groupByLength
    ? longestFirst(utterances, shuffle ? random : undefined)
    : anyOrder(utterances.length, shuffle ? random : undefined);
  const batches: number[][] = [];
  let start = 0;
  for (const clips of stepSizes(utterances, order, options)) {
    const least = Math.floor(clips / world);
    const share = shuffle ? (rank + random.integer(world)) % world : rank;
    const smaller = world - (clips % world); // shares of `least` clips, the longest; the others have one more
    const from = start + share * least + Math.max(0, share - smaller);
    batches.push(Array.from(order.subarray(from, from + least + Number(share >= smaller))));
    start += clips;
  }
  return shuffle ? random.shuffle(batches) : batches;
}

/**
 * The batches of epoch after epoch, without end, from any position on. Epochs before it are not computed.
 *
 * @throws UserError where there are no utterances, or `from` lies beyond its epoch's batches
 */
export function* batchOrder(
  utterances: readonly Pick<Utterance, "samples">[],
  options: Omit<BatchOptions, "epoch">,
  from: BatchPosition = { epoch: 0, batch: 0 },
): Generator<PlannedBatch, never> {
  if (utterances.length === 0) throw new UserError("Utterances must be at least one, but there are none.");
  for (let { epoch, batch } = from; ; epoch++, batch = 0) {
    const batches = lengthBucketedBatches(utterances, { ...options, epoch });
    if (batch > batches.length) {
      throw new UserError(
        `The position to go on from must be within the ${batches.length} batches of epoch ${epoch}, but is batch ` +
          `${batch}. Go on with the utterances, limits and processes that it was taken with.`,
      );
    }
    for (; batch < batches.length; batch++) yield { epoch, batch, indices: batches[batch]! };
  }
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

function requireOptions({ batchSeconds, batchSize, rank = 0, world = 1 }: BatchOptions): void {
  if (batchSeconds === undefined && batchSize === undefined)
    throw new RangeError("batchSeconds or batchSize must be given, but neither is.");
  if (batchSeconds !== undefined && !(batchSeconds > 0))
    throw new RangeError(`batchSeconds must be positive, but is ${batchSeconds}.`);
  if (batchSize !== undefined && !(batchSize >= 1))
    throw new RangeError(`batchSize must be at least 1, but is ${batchSize}.`);
  if (!(Number.isInteger(rank) && Number.isInteger(world) && rank >= 0 && rank < world))
    throw new RangeError(`rank must be a whole number from 0 to below world, but is ${rank} of ${world}.`);
}

/** Indices by falling length, blurred by `jitter`'s draws. */
function longestFirst(
  utterances: readonly Pick<Utterance, "samples">[],
  jitter: Random | undefined,
): Uint32Array {
  // Length and index in one number: a typed array of numbers sorts ten times faster than by a comparison.
  const count = utterances.length;
  const keys = new Float64Array(count);
  const most = Math.floor(Number.MAX_SAFE_INTEGER / count) - 1;
  for (let index = 0; index < count; index++) {
    const { samples } = utterances[index]!;
    const blurred = jitter ? samples * (1 + LENGTH_JITTER * jitter.uniform()) : samples;
    keys[index] = Math.min(Math.round(blurred), most) * count + index;
  }
  keys.sort();
  const order = new Uint32Array(count);
  for (let place = 0; place < count; place++) order[count - 1 - place] = keys[place]! % count;
  return order;
}

/** All indices, each order as likely; as they are without `random`. */
function anyOrder(count: number, random: Random | undefined): Uint32Array {
  const order = Array.from({ length: count }, (_, index) => index);
  return Uint32Array.from(random ? random.shuffle(order) : order);
}

/** Clips of each step, all ranks' together, in the order of lengths. */
function stepSizes(
  utterances: readonly Pick<Utterance, "samples">[],
  order: Uint32Array,
  { batchSeconds = Number.POSITIVE_INFINITY, batchSize = Number.POSITIVE_INFINITY, world = 1 }: BatchOptions,
): number[] {
  const limit = batchSeconds * SAMPLE_RATE;
  const sizes: number[] = [];
  let clips = 0;
  let longest = 0;
  for (const index of order) {
    longest = Math.max(longest, utterances[index]!.samples);
    const each = Math.ceil((clips + 1) / world);
    if (each > 1 && (each > batchSize || longest * each > limit)) {
      sizes.push(clips);
      clips = 0;
      longest = utterances[index]!.samples;
    }
    clips++;
  }
  if (clips > 0) sizes.push(clips);
  fillLastStep(sizes, world);
  return sizes;
}

/** Earlier steps give clips to the last until each rank has one; they keep one for each, and so does what lies between. */
function fillLastStep(sizes: number[], world: number): void {
  const last = sizes.length - 1;
  for (let step = last - 1; step >= 0 && sizes[last]! < world; step--) {
    const given = Math.min(world - sizes[last]!, sizes[step]! - world);
    sizes[step]! -= given;
    sizes[last]! += given;
  }
  if (last > 0 && sizes[last]! < world) sizes[last - 1]! += sizes.pop()!;
}
