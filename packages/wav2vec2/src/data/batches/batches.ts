import {
  BOOLEAN,
  ITERABLE,
  isObject,
  type Kind,
  OBJECT,
  POSITIVE,
  requireArguments,
  requireKind,
  UTTERANCES,
  whole,
} from "../../argument-kinds.js";
import { SAMPLE_RATE } from "../../audio/audio-file.js";
import { describeValue } from "../../describe-type.js";
import { ConfigurationError, UserError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
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

export const BATCH_LIMITS = {
  batchSeconds: POSITIVE,
  batchSize: { must: "at least 1", holds: (value) => typeof value === "number" && value >= 1 },
} satisfies KnownOptions<BatchLimits>;

export interface BatchOptions extends BatchLimits {
  seed: number;
  /** Each epoch groups and orders anew. */
  epoch: number;
  /** false puts clips of any length together, as they come or as `shuffle` orders them. Default: true */
  groupByLength?: boolean | undefined;
  /** false gives the same batches every epoch, longest clips first. Default: true */
  shuffle?: boolean | undefined;
}

const BATCH_OPTIONS = {
  batchSeconds: true,
  batchSize: true,
  seed: true,
  epoch: whole(0),
  groupByLength: BOOLEAN,
  shuffle: BOOLEAN,
} satisfies KnownOptions<BatchOptions>;

/** A batch's place among those of all processes: training that starts there sees what it would have seen next. */
export interface BatchPosition {
  epoch: number;
  /** Batches of the epoch that lie before it. */
  batch: number;
}

const POSITION: Kind = {
  must: "a position { epoch, batch }",
  holds: (value) => isObject(value) && [value.epoch, value.batch].every((at) => whole(0).holds(at)),
};

export interface PlannedBatch extends BatchPosition {
  /** Into the utterances. */
  indices: number[];
  /** The place behind it and what other processes compute at the same time. */
  next: BatchPosition;
}

/** Which of the processes that share the batches this is. */
export interface BatchShare {
  /** From 0. */
  rank: number;
  /** Processes. */
  size: number;
}

/**
 * Groups clips of similar length (unless `groupByLength` is false) into batches, in shuffled order; the same seed and epoch
 * always give the same. A clip longer than `batchSeconds` makes a batch alone.
 *
 * @returns batches as indices into `utterances`, each of which comes exactly once
 * @throws ConfigurationError for limits that fit nothing
 */
export function lengthBucketedBatches(
  utterances: readonly Pick<Utterance, "samples">[],
  options: BatchOptions,
): number[][] {
  requireArguments("lengthBucketedBatches", { utterances: [utterances, UTTERANCES] });
  requireOptions("lengthBucketedBatches", options, BATCH_OPTIONS);
  requireLimits(options);
  const { seed, epoch, shuffle = true, groupByLength = true } = options;
  const random = new Random(seed, "batches", epoch);
  const order = groupByLength
    ? longestFirst(utterances, shuffle ? random : undefined)
    : anyOrder(utterances.length, shuffle ? random : undefined);
  const batches: number[][] = [];
  let start = 0;
  for (const clips of batchSizes(utterances, order, options)) {
    if (shuffle) random.uniform(); // a draw a batch, as seeded runs have always made
    batches.push(Array.from(order.subarray(start, start + clips)));
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
  requireArguments("batchOrder", { utterances: [utterances, UTTERANCES], from: [from, POSITION] });
  requireOptions("batchOrder", options, BATCH_OPTIONS);
  if (utterances.length === 0) throw new UserError("Utterances must be at least one, but there are none.");
  for (let { epoch, batch } = from; ; epoch++, batch = 0) {
    const batches = epochOfBatches(utterances, { ...options, epoch });
    if (batch > batches.length) {
      throw new UserError(
        `The position to go on from must be within the ${batches.length} batches of epoch ${epoch}, but is batch ` +
          `${batch}. Go on with the utterances and limits that it was taken with.`,
      );
    }
    yield* batches.slice(batch);
  }
}

/** One epoch's batches, as {@link lengthBucketedBatches}, each with its place. */
export function epochOfBatches(
  utterances: readonly Pick<Utterance, "samples">[],
  options: BatchOptions,
): PlannedBatch[] {
  requireArguments("epochOfBatches", { options: [options, OBJECT] });
  const { epoch } = options;
  return lengthBucketedBatches(utterances, options).map((indices, batch) => ({
    epoch,
    batch,
    indices,
    next: { epoch, batch: batch + 1 },
  }));
}

/**
 * Every `size`-th of planned batches, beginning with the `rank`-th: what one of several processes computes. The plan is the
 * same for any number of processes, so training goes on with another number without a batch that comes twice or never.
 *
 * @throws ConfigurationError for a rank that there is not
 */
export function* shareOfBatches(plan: Iterable<PlannedBatch>, share: BatchShare): Generator<PlannedBatch> {
  requireArguments("shareOfBatches", { plan: [plan, ITERABLE], share: [share, OBJECT] });
  const { rank, size } = share;
  if (!(Number.isInteger(rank) && Number.isInteger(size) && rank >= 0 && rank < size))
    throw new ConfigurationError(
      `rank must be a whole number from 0 to below size, but is ${describeValue(rank)} of ${describeValue(size)}.`,
    );
  let own: PlannedBatch | undefined;
  let place = 0;
  for (const planned of plan) {
    if (place === rank) own = planned;
    place = (place + 1) % size;
    if (place !== 0) continue;
    yield { ...own!, next: planned.next };
    own = undefined;
  }
  if (own) yield own; // a plan that ends, of clips to evaluate
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

function requireLimits({ batchSeconds, batchSize }: BatchOptions): void {
  if (batchSeconds === undefined && batchSize === undefined)
    throw new ConfigurationError("batchSeconds or batchSize must be given, but neither is.");
  if (batchSeconds !== undefined) requireKind("batchSeconds", batchSeconds, BATCH_LIMITS.batchSeconds);
  if (batchSize !== undefined) requireKind("batchSize", batchSize, BATCH_LIMITS.batchSize);
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

/** Clips of each batch, in the order of lengths. */
function batchSizes(
  utterances: readonly Pick<Utterance, "samples">[],
  order: Uint32Array,
  { batchSeconds = Number.POSITIVE_INFINITY, batchSize = Number.POSITIVE_INFINITY }: BatchOptions,
): number[] {
  const limit = batchSeconds * SAMPLE_RATE;
  const sizes: number[] = [];
  let clips = 0;
  let longest = 0;
  for (const index of order) {
    longest = Math.max(longest, utterances[index]!.samples);
    if (clips > 0 && (clips + 1 > batchSize || longest * (clips + 1) > limit)) {
      sizes.push(clips);
      clips = 0;
      longest = utterances[index]!.samples;
    }
    clips++;
  }
  if (clips > 0) sizes.push(clips);
  return sizes;
}
