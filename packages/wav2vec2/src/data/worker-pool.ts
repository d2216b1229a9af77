import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Piscina } from "piscina";

/** What every job carries: the item that its thread is busy with, seen from outside even when the thread dies. */
export interface Watched {
  /** [1], over shared memory; the worker writes the index of the item it is at. */
  progress: Int32Array;
}

/** A worker thread ended in the middle of a job. */
export class WorkerCrash extends Error {
  override readonly name = "WorkerCrash";

  /** @param item index of the item that the thread was busy with */
  constructor(
    readonly item: number,
    cause: Error,
  ) {
    super(cause.message, { cause });
  }
}

/**
 * Threads that run the default export of a module, one job a thread at a time. A thread that ends is replaced; the
 * function itself must not throw, so that whatever a job is rejected with tells of its thread.
 */
export class WorkerPool<Job extends Watched, Result> {
  readonly #pool: Piscina<Job, Result>;
  #closed = false;

  /** @param module URL of a compiled module @param threads at least 1 */
  constructor(
    module: URL,
    readonly threads: number,
  ) {
    this.#pool = new Piscina<Job, Result>({
      filename: compiled(module),
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
    });
    // Also of a thread that dies between two jobs; the job that it gets instead runs on its replacement.
    this.#pool.on("error", () => {});
  }

  /** @throws WorkerCrash when the thread ended before the result was there */
  async run(job: Omit<Job, "progress">): Promise<Result> {
    const progress = new Int32Array(new SharedArrayBuffer(4));
    try {
      return await this.#pool.run({ ...job, progress } as Job);
    } catch (error) {
      throw new WorkerCrash(progress[0]!, error as Error);
    }
  }

  /** Whether {@link close} was called: jobs that were under way are rejected as if their threads had crashed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the threads, also those at work. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.destroy();
  }
}

/** Threads cannot run TypeScript: where the sources are run, by the tests, their compiled copy is taken. */
function compiled(module: URL): string {
  const path = fileURLToPath(module);
  return existsSync(path) ? path : path.replace(/([\\/])src(?=[\\/](?!.*[\\/]src[\\/]))/, "$1dist");
}
