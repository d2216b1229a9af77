import { readAudio, SAMPLE_RATE } from "../../audio/audio-file.js";
import { normalize } from "../../audio/normalize.js";
import { type ErrorCode, UserError } from "../../errors.js";
import { Random } from "../random.js";
import type { Utterance } from "../utterance.js";
import type { Watched } from "../worker-pool.js";
import { Augmentation, type AugmentationOptions } from "./augmentation.js";
import { type CtcBatch, collateCtc } from "./ctc-collator.js";
import {
  collatePreTraining,
  type PreTrainingBatch,
  type PreTrainingCollation,
} from "./pretraining-collator.js";

/** What a thread is told of a clip. */
export interface ClipJob extends Pick<Utterance, "id" | "path" | "samples"> {
  /** Seconds into the file. */
  start?: number | undefined;
  end?: number | undefined;
  /** [labels] for CTC; left out for pre-training. */
  labels?: Int32Array | undefined;
}

/** How audio becomes input; the same for all batches of a run. */
export interface Preparation {
  seed: number;
  /** Whether the model wants zero mean and unit variance. */
  normalize: boolean;
  augmentation?: AugmentationOptions | undefined;
  collation: { task: "ctc"; minimumSamples: number } | ({ task: "pretraining" } & PreTrainingCollation);
}

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
  batch: Batch | undefined;
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
  const items: { id: string; samples: Float32Array; labels: Int32Array }[] = [];
  const bad: BadClip[] = [];
  for (const [index, clip] of clips.entries()) {
    Atomics.store(progress, 0, index);
    const { id, path, labels = new Int32Array(0) } = clip;
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
    items.push({ id, samples: preparation.normalize ? normalize(samples, samples) : samples, labels });
  }
  Atomics.store(progress, 0, -1); // what happens from here on is no clip's fault
  try {
    return { batch: items.length > 0 ? collate(items, job) : undefined, bad };
  } catch (error) {
    return { batch: undefined, bad, fault: (error as Error).message };
  }
}

function collate(items: { id: string; samples: Float32Array; labels: Int32Array }[], job: BatchJob): Batch {
  const { collation, seed } = job.preparation;
  const allocate = (length: number) => allocateShared(length, job.memory);
  if (collation.task === "ctc") return collateCtc(items, { ...collation, allocate });
  const random = new Random(seed, "masks", job.epoch, items[0]!.id);
  return collatePreTraining(items, { ...collation, allocate }, () => random.uniform());
}

/** Room in shared memory, which reaches another thread without being copied. */
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
