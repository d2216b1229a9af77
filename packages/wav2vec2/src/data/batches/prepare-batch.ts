import { readAudio, SAMPLE_RATE } from "../../audio/audio-file.js";
import { normalize } from "../../audio/normalize.js";
import { type ErrorCode, UserError } from "../../errors.js";
import { Random } from "../random.js";
import type { Utterance } from "../utterance.js";
import type { Watched } from "../worker-pool.js";
import { Augmentation, type AugmentationOptions } from "./augmentation.js";
import type { BatchPosition } from "./batches.js";
import { type CtcBatch, type CtcCollation, collateCtc } from "./ctc-collator.js";
import { hooksOf, requireCollated, requireSamples, transformFault } from "./load-transforms.js";
import {
  collatePreTraining,
  type PreTrainingBatch,
  type PreTrainingCollation,
} from "./pretraining-collator.js";
import type { CollatedBatch, TransformedClip, TransformHooks, Transforms } from "./transforms.js";

/** What a thread is told of a clip. */
export interface ClipJob extends Pick<Utterance, "id" | "path" | "samples"> {
  /** Seconds into the file. */
  start?: number | undefined;
  end?: number | undefined;
  /** The transcript; `loadBatches` makes labels of it where it has a tokenizer. */
  text?: string | undefined;
  /** [labels] for CTC; left out for pre-training. */
  labels?: Int32Array | readonly number[] | undefined;
}

/** What becomes of clips in a batch: labels for CTC, or masks and distractors for pre-training. */
export type Collation = ({ task: "ctc" } & CtcCollation) | ({ task: "pretraining" } & PreTrainingCollation);

/**
 * How audio becomes input; the same for all batches of a run. `ctcPreparation` and `preTrainingPreparation` make one.
 *
 * @template Kind tells which batches come out
 * @template Own the batch that a collator of one's own makes
 */
export interface Preparation<Kind extends Collation = Collation, Own = unknown> {
  seed: number;
  /** Whether the model wants zero mean and unit variance. */
  normalize: boolean;
  augmentation?: AugmentationOptions | undefined;
  /** What a module of one's own does to clips and batches. */
  transforms?: Transforms<Own> | undefined;
  /** Whether the clips are to train on, which alone have their audio transformed. Default: true */
  training?: boolean | undefined;
  collation: Kind;
}

/** The batch that a preparation makes: a collator's own, or that of its task. */
export type BatchOf<Made> = Made extends { transforms: Transforms<infer Own extends CollatedBatch> }
  ? OfTask<Own, Made>
  : Made extends { collation: { task: infer Task } }
    ? BatchOfTask<Task>
    : never;

/**
 * Of a collator's batches those of the preparation's task, where it adds to what the project's own collator makes, which is of
 * either; else all.
 */
type OfTask<Own, Made> = Made extends { collation: { task: infer Task } }
  ? [Extract<Own, BatchOfTask<Task>>] extends [never]
    ? Own
    : Extract<Own, BatchOfTask<Task>>
  : Own;

/** Where a batch of a plan stands. */
export interface Placed {
  place: BatchPosition;
  /** Where what comes behind it stands. */
  next: BatchPosition;
}

/** A batch of a plan, with its place in it. */
export type PlannedBatchOf<Made> = BatchOf<Made> & CollatedBatch & Placed;

type BatchOfTask<Task> = Task extends "ctc"
  ? CtcBatch
  : Task extends "pretraining"
    ? PreTrainingBatch
    : never;

export interface BatchJob extends Watched {
  preparation: Preparation;
  epoch: number;
  clips: readonly ClipJob[];
  /** Where the input should lie, if it fits. */
  memory?: SharedArrayBuffer | undefined;
}

/** A clip that cannot be used. */
export interface BadClip {
  id: string;
  path: string;
  /** A whole sentence that names the file. */
  message: string;
  code: ErrorCode;
}

export type Batch = CtcBatch | PreTrainingBatch;

export interface PreparedBatch {
  /** Absent where no clip could be used. */
  batch: CollatedBatch | undefined;
  bad: BadClip[];
  /** What makes all clips unusable, such as a bad recording of noise: a whole sentence. */
  fault?: string | undefined;
}

/**
 * Decodes, augments, normalises and collates the clips of one batch. What it draws depends on the seed, the epoch and
 * the utterances alone, so that it does not matter which thread does it.
 *
 * @returns with the clips left out that could not be read; it does not throw
 */
export async function prepareBatch(job: BatchJob): Promise<PreparedBatch> {
  const { clips, preparation, epoch, progress } = job;
  const augmentation = preparation.augmentation && new Augmentation(preparation.augmentation);
  const { transforms, training = true } = preparation;
  const items: TransformedClip[] = [];
  const bad: BadClip[] = [];
  let hooks: TransformHooks = {};
  try {
    if (transforms) hooks = await hooksOf(transforms);
  } catch (error) {
    return { batch: undefined, bad, fault: (error as Error).message };
  }
  for (const [index, clip] of clips.entries()) {
    Atomics.store(progress, 0, index);
    const { id, path } = clip;
    const labels = Int32Array.from(clip.labels ?? []);
    let samples: Float32Array;
    try {
      samples = await readClip(clip);
    } catch (error) {
      bad.push({ id, path, message: describe(error, path), code: codeOf(error) });
      continue;
    }
    try {
      const random = new Random(preparation.seed, "augmentation", epoch, id);
      if (augmentation) samples = await augmentation.apply(samples, random);
    } catch (error) {
      return { batch: undefined, bad, fault: describe(error, "A recording for augmentation") };
    }
    try {
      const random = new Random(preparation.seed, "audio transform", epoch, id);
      if (training && hooks.audio)
        samples = requireSamples(await hooks.audio(samples, { id, epoch, training, random }));
    } catch (error) {
      const at = `for utterance ${id} in epoch ${epoch}`;
      return { batch: undefined, bad, fault: transformFault("audio", transforms!, at, error) };
    }
    items.push({ id, samples: preparation.normalize ? normalize(samples, samples) : samples, labels, clip });
  }
  Atomics.store(progress, 0, -1); // what happens from here on is no clip's fault
  try {
    return { batch: items.length > 0 ? await collate(items, job, hooks) : undefined, bad };
  } catch (error) {
    return { batch: undefined, bad, fault: (error as Error).message };
  }
}

async function collate(
  items: readonly TransformedClip[],
  job: BatchJob,
  hooks: TransformHooks,
): Promise<CollatedBatch> {
  const { collation, seed, transforms, training = true } = job.preparation;
  const { epoch, memory } = job;
  const allocate = (length: number) => allocateShared(length, memory);
  const ofTask = (clips: readonly TransformedClip[]): Batch => {
    if (collation.task === "ctc") return collateCtc(clips, { ...collation, allocate });
    const random = new Random(seed, "masks", epoch, clips[0]!.id);
    const { sampleMask: spanSampler } = hooks;
    return collatePreTraining(clips, { ...collation, allocate, spanSampler }, () => random.uniform());
  };
  const at = `in epoch ${epoch} for the batch that begins with utterance ${items[0]!.id}`;
  if (!hooks.collate) {
    try {
      return ofTask(items);
    } catch (error) {
      if (!hooks.sampleMask) throw error;
      throw new UserError(transformFault("sampleMask", transforms!, at, error), { cause: error });
    }
  }
  const random = new Random(seed, "collate transform", epoch, items[0]!.id);
  try {
    return requireCollated(await hooks.collate(items, { epoch, training, random, collate: ofTask }));
  } catch (error) {
    throw new UserError(transformFault("collate", transforms!, at, error), { cause: error });
  }
}

/** Shared memory, which reaches another thread without being copied. */
function allocateShared(length: number, memory: SharedArrayBuffer | undefined): Float32Array {
  const bytes = length * Float32Array.BYTES_PER_ELEMENT;
  if (!memory || memory.byteLength < bytes) return new Float32Array(new SharedArrayBuffer(bytes));
  return new Float32Array(memory, 0, length);
}

/** @throws UserError also where the clip is not as long as it was when it was indexed */
async function readClip({ path, start, end, samples: expected }: ClipJob): Promise<Float32Array> {
  const samples = await readAudio(path, { start, end });
  if (samples.length === expected) return samples;
  const isPart = start !== undefined || end !== undefined;
  if (isPart && Math.abs(samples.length - expected) === 1) return fit(samples, expected); // rounded another way
  throw new UserError(
    `${path} must be as long as when it was indexed (${expected} samples at ${SAMPLE_RATE} Hz), but is ` +
      `${samples.length}: the file has changed. Start again.`,
  );
}

/** So many samples: cut, or with zeros behind them. */
function fit(samples: Float32Array, length: number): Float32Array {
  const fitted = new Float32Array(length);
  fitted.set(samples.subarray(0, length));
  return fitted;
}

function describe(error: unknown, path: string): string {
  const { message } = error as Error;
  return error instanceof UserError
    ? message
    : `${path} must be readable audio, but is not: ${withoutStop(message)}.`;
}

function codeOf(error: unknown): ErrorCode {
  return error instanceof UserError ? error.code : "ERR_AUDIO_CORRUPT";
}

/** A message that goes on in another sentence. */
export function withoutStop(message: string): string {
  return message.replace(/\.$/, "");
}
