import { mapConcurrent } from "../map-concurrent.js";
import type { Utterance } from "../utterance.js";
import { WorkerCrash, WorkerPool } from "../worker-pool.js";
import type { CheckJob, DecodedClip } from "./check-clips.js";

/** A few seconds of work at most, so that progress moves; enough that handing it over costs nothing. */
const JOB_CLIPS = 16;
/** Jobs for each thread, so that none waits for its next one. */
const JOBS_A_THREAD = 2;

export interface DecodeProgress {
  clips: number;
  /** Seconds of audio. */
  seconds: number;
}

export interface DecodeOptions {
  threads: number;
  /** Gets how much was decoded since it was last called. */
  onDecoded?: ((progress: DecodeProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** What the threads run; for tests. */
  worker?: URL;
}

/**
 * Decodes and measures clips in worker threads. A clip at which a thread ended counts as unreadable; the others of its
 * job are tried again.
 *
 * @returns in the order of `clips`
 * @throws the signal's reason once it is aborted
 */
export async function decodeClips(
  clips: readonly Utterance[],
  { threads, onDecoded, signal, worker = new URL("./check-worker.js", import.meta.url) }: DecodeOptions,
): Promise<DecodedClip[]> {
  signal?.throwIfAborted();
  const jobs: Utterance[][] = [];
  for (let at = 0; at < clips.length; at += JOB_CLIPS) jobs.push(clips.slice(at, at + JOB_CLIPS));
  const pool = new WorkerPool<CheckJob, DecodedClip[]>(worker, Math.min(threads, Math.max(1, jobs.length)));
  const stop = () => void pool.close();
  signal?.addEventListener("abort", stop);
  try {
    const results = await mapConcurrent(jobs, pool.threads * JOBS_A_THREAD, async (job) => {
      const decoded = await decodeJob(job, pool);
      onDecoded?.({ clips: job.length, seconds: job.reduce((sum, { seconds }) => sum + seconds, 0) });
      return decoded;
    });
    return results.flat();
  } catch (error) {
    signal?.throwIfAborted(); // closing the pool made the error
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    await pool.close();
  }
}

async function decodeJob(
  job: readonly Utterance[],
  pool: WorkerPool<CheckJob, DecodedClip[]>,
): Promise<DecodedClip[]> {
  const fatal = new Map<Utterance, DecodedClip>();
  for (;;) {
    const left = job.filter((clip) => !fatal.has(clip));
    if (left.length === 0) return job.map((clip) => fatal.get(clip)!);
    try {
      const clips = left.map(({ path, start, end }) => ({ path, start, end }));
      const decoded = (await pool.run({ clips } as Omit<CheckJob, "progress">)).values();
      return job.map((clip) => fatal.get(clip) ?? decoded.next().value!);
    } catch (error) {
      if (!(error instanceof WorkerCrash) || pool.closed) throw error;
      const clip = left[error.item]!;
      const message = `${clip.path} must be readable audio, but the thread that read it ended: ${error.message}.`;
      fatal.set(clip, { fault: "unreadable-audio", message });
    }
  }
}
