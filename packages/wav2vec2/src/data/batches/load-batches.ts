import {
  ERROR_OR_SKIP,
  ITERABLE,
  isObject,
  type Kind,
  requireArguments,
  whole,
} from "../../argument-kinds.js";
import { UserError } from "../../errors.js";
import { type KnownOptions, requireOptions } from "../../known-options.js";
import { WorkerCrash, WorkerPool } from "../worker-pool.js";
import type { PlannedBatch } from "./batches.js";
import type {
  BadClip,
  BatchJob,
  BatchOf,
  ClipJob,
  Placed,
  PlannedBatchOf,
  Preparation,
  PreparedBatch,
} from "./prepare-batch.js";
import { prepareBatch, withoutStop } from "./prepare-batch.js";

export type BatchWorkers = WorkerPool<BatchJob, PreparedBatch>;

const MOST_WORKERS = 256;

/**
 * Threads that prepare batches.
 *
 * @param threads 1 to 256
 * @throws ConfigurationError for another number
 */
export function batchWorkers(threads: number): BatchWorkers {
  requireArguments("batchWorkers", { threads: [threads, whole(1, MOST_WORKERS)] });
  return new WorkerPool<BatchJob, PreparedBatch>(new URL("./batch-worker.js", import.meta.url), threads);
}

export interface BatchLoadOptions {
  /** Threads that prepare; without, each batch is prepared in this thread when it is asked for. */
  workers?: BatchWorkers | undefined;
  /** Whether a clip that cannot be read ends everything or is left out. Default: error */
  onBadAudio?: "error" | "skip" | undefined;
  /** Gets each clip that is left out, each time. */
  onBad?: ((clip: BadClip) => void) | undefined;
  /** Gets a sentence for each thread that ended. */
  onNote?: ((text: string) => void) | undefined;
}

/** Options with which no batch is empty: a clip that cannot be read ends everything. */
export interface RefusesBadAudio {
  onBadAudio?: "error" | undefined;
}

/** What makes labels of a transcript, such as a `CtcTokenizer`. */
export interface LabelEncoder {
  encode(text: string, options?: { utterance?: string }): Int32Array;
}

export interface LoadBatchesOptions extends BatchLoadOptions {
  /** Makes the labels of clips that have a `text` and no `labels`. */
  tokenizer?: LabelEncoder | undefined;
}

const OPTIONS = {
  workers: {
    must: "the threads that batchWorkers starts",
    holds: (value) => value instanceof WorkerPool,
    advice: (value) => (typeof value === "number" ? `Give batchWorkers(${value}).` : undefined),
  },
  onBadAudio: ERROR_OR_SKIP,
  onBad: true,
  onNote: true,
  tokenizer: {
    must: "a tokenizer",
    holds: (value) => isObject(value) && typeof value.encode === "function",
  },
} satisfies KnownOptions<LoadBatchesOptions>;

/** What {@link loadBatches} makes a batch of. */
export type LoadJob = Omit<BatchJob, "progress" | "memory">;

export type { Placed } from "./prepare-batch.js";

export function placeOf({ epoch, batch, next }: PlannedBatch): Placed {
  return { place: { epoch, batch }, next };
}

/** A planned batch none of whose clips could be read. It has its place all the same: other processes wait there. */
export interface EmptyBatch extends Placed {
  ids: readonly [];
  lengths: Int32Array;
}

export function emptyBatch({ place, next }: Placed): EmptyBatch {
  return { ids: [], lengths: new Int32Array(0), place, next };
}

const BATCH: Kind = { must: "a batch", holds: (value) => isObject(value) && Array.isArray(value.ids) };

export function isEmpty(batch: { ids: readonly string[] }): batch is EmptyBatch {
  requireArguments("isEmpty", { batch: [batch, BATCH] });
  return batch.ids.length === 0;
}

/** Batches that each thread has finished or at work before they are asked for. */
const AHEAD = 2;

/**
 * Prepares batches in worker threads ahead of their use, in the order of `jobs`. So many are under way as are waited
 * for, no more; the input lies in shared memory and is not copied.
 *
 * A thread that ends is replaced and its batch is prepared again; a clip that costs two threads counts as unreadable.
 *
 * @returns batches whose `input` is valid until the next one is asked for: its memory is used again; none for those
 * without a clip that can be read. What they are is told by the preparation's task, or by a collator of its transforms.
 * @throws UserError for a clip that cannot be read, where no clip of a whole epoch can be, for a recording for
 * augmentation that cannot be used, for a clip of the task ctc that has no labels, and for a transform that fails
 */
export async function* loadBatches<Job extends LoadJob>(
  jobs: Iterable<Job>,
  given: LoadBatchesOptions = {},
): AsyncGenerator<{ batch: BatchOf<Job["preparation"]>; job: Job }> {
  requireArguments("loadBatches", { jobs: [jobs, ITERABLE] });
  requireOptions("loadBatches", given, OPTIONS);
  const { tokenizer, ...options } = given;
  for await (const { batch, job } of loadEveryBatch(labelled(jobs, tokenizer), options))
    if (batch) yield { batch, job };
}

/** The jobs with labels for all clips that need some. */
function* labelled<Job extends LoadJob>(
  jobs: Iterable<Job>,
  tokenizer: LabelEncoder | undefined,
): Generator<Job> {
  for (const job of jobs) {
    requirePreparation(job);
    const { collation, transforms } = job.preparation;
    const needsLabels = collation.task === "ctc" && !transforms?.hooks.includes("collate");
    const encodes = collation.task === "ctc" && tokenizer !== undefined;
    const clips = job.clips.map((clip) => {
      if (clip.labels !== undefined) return withLabels(clip, clip.labels);
      if (encodes && clip.text !== undefined)
        return { ...clip, labels: tokenizer.encode(clip.text, { utterance: clip.id }) };
      if (needsLabels) throw withoutLabels(clip);
      return clip;
    });
    yield { ...job, clips };
  }
}

/** @throws UserError where a job does not say how its clips become a batch */
function requirePreparation({ preparation, clips }: Partial<LoadJob>): void {
  const task: unknown = preparation?.collation?.task;
  if ((task === "ctc" || task === "pretraining") && Array.isArray(clips)) return;
  throw new UserError(
    "A job must be { preparation, epoch, clips } with a preparation of the task ctc or pretraining, but is not. Make one with " +
      "ctcPreparation(config) or preTrainingPreparation(config).",
  );
}

/** @throws UserError where what is given is no list of labels */
function withLabels(clip: ClipJob, labels: unknown): ClipJob {
  if (labels instanceof Int32Array) return clip;
  if (Array.isArray(labels) && labels.every(Number.isInteger))
    return { ...clip, labels: Int32Array.from(labels) };
  throw new UserError(
    `labels of utterance ${clip.id} must be an Int32Array or whole numbers, one a character, but are not. Give ` +
      "tokenizer.encode(text).",
  );
}

/** Without labels a network learns to say nothing, and its loss becomes beautiful. */
function withoutLabels({ id, text }: ClipJob): UserError {
  const must = `labels of utterance ${id} must be there for the task ctc, but are missing`;
  return new UserError(
    text === undefined
      ? `${must}, and so is its text. Give labels: new Int32Array(0) where audio alone is wanted.`
      : `${must}. Give loadBatches a tokenizer, such as new CtcTokenizer(Vocabulary.fromTranscripts(texts)), or the clip ` +
          "labels.",
  );
}

/**
 * The batches of a plan as {@link loadBatches} prepares them, with their places in it; empty ones where no clip could be read.
 *
 * @param clipOf what is read at a place in the utterances
 */
export async function* plannedBatches<Made extends Preparation>(
  plan: Iterable<PlannedBatch>,
  preparation: Made,
  clipOf: (index: number, epoch: number) => ClipJob,
  options: BatchLoadOptions,
): AsyncGenerator<PlannedBatchOf<Made> | EmptyBatch> {
  function* jobs() {
    for (const planned of plan) {
      const { epoch, indices } = planned;
      const clips = indices.map((index) => clipOf(index, epoch));
      yield { preparation, epoch, clips, ...placeOf(planned) };
    }
  }
  for await (const { batch, job } of loadEveryBatch(jobs(), options)) {
    const { place, next } = job;
    yield batch ? { ...batch, place, next } : emptyBatch(job);
  }
}

/** As {@link loadBatches}, with the jobs that made no batch. */
async function* loadEveryBatch<Job extends LoadJob>(
  jobs: Iterable<Job>,
  options: BatchLoadOptions = {},
): AsyncGenerator<{ batch: BatchOf<Job["preparation"]> | undefined; job: Job }> {
  const { workers, onBad, onBadAudio = "error" } = options;
  const ahead = workers ? AHEAD * workers.threads : 1;
  const memory: SharedArrayBuffer[] = [];
  const pending: { job: Job; prepared: Promise<PreparedBatch> }[] = [];
  const queue = jobs[Symbol.iterator]();
  const fill = () => {
    while (pending.length < ahead) {
      const { value: job, done } = queue.next();
      if (done) return;
      const prepared = prepare({ ...job, memory: memory.pop() }, options);
      prepared.catch(() => {}); // it is awaited later, or never
      pending.push({ job, prepared });
    }
  };
  fill();
  let used = (pending[0]?.job.epoch ?? 0) - 1; // the newest epoch of which a clip could be used
  for (let next = pending.shift(); next; next = pending.shift()) {
    const { batch, bad, fault } = await next.prepared;
    if (fault !== undefined) throw new UserError(fault);
    if (bad[0] && onBadAudio === "error") throw new UserError(bad[0].message, { code: bad[0].code });
    for (const clip of bad) onBad?.(clip);
    if (!batch) {
      if (next.job.epoch > used + 1) throw noneLeft(bad);
      fill();
      yield { batch: undefined, job: next.job };
      continue;
    }
    used = next.job.epoch;
    if (workers) fill(); // without threads it would only delay this batch
    yield { batch: batch as BatchOf<Job["preparation"]>, job: next.job }; // what its preparation says
    const { buffer } = "input" in batch && ArrayBuffer.isView(batch.input) ? batch.input : {};
    if (buffer instanceof SharedArrayBuffer) memory.push(buffer);
    if (!workers) fill();
  }
}

async function prepare(job: Omit<BatchJob, "progress">, options: BatchLoadOptions): Promise<PreparedBatch> {
  const { workers, onNote } = options;
  if (!workers) return await prepareBatch({ ...job, progress: new Int32Array(1) });
  const bad: BadClip[] = [];
  const deaths = new Map<ClipJob, number>();
  let clips: readonly ClipJob[] = job.clips;
  for (;;) {
    try {
      const prepared = await workers.run({ ...job, clips });
      return { ...prepared, bad: [...bad, ...prepared.bad] };
    } catch (error) {
      if (!(error instanceof WorkerCrash) || workers.closed) throw error;
      const clip = clips[error.item]!;
      const reason = withoutStop(error.message);
      deaths.set(clip, (deaths.get(clip) ?? 0) + 1);
      if (deaths.get(clip) === 1) {
        onNote?.(`A thread ended while reading ${clip.path} (${reason}). Another one tries again.`);
        continue;
      }
      const message = `${clip.path} must be readable audio, but a thread ended twice while reading it: ${reason}.`;
      bad.push({ id: clip.id, path: clip.path, message, code: "ERR_AUDIO_CORRUPT" });
      clips = clips.filter((other) => other !== clip);
    }
  }
}

function noneLeft([first]: readonly BadClip[]): UserError {
  return new UserError(
    `An epoch must have a clip that can be read, but all are bad. The last one: ${first?.message}`,
  );
}
