import type { Piscina } from "piscina";
import { compiled } from "../files/compiled.js";
import { lazyPackage } from "../lazy-package.js";

const piscina = lazyPackage<typeof import("piscina")>("piscina");

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
  readonly #waiting = new Set<(error: Error) => void>();
  #failure: Error | undefined;
  #closed = false;

  /** @param module URL of a compiled module @param threads at least 1 */
  constructor(
    module: URL,
    readonly threads: number,
  ) {
    this.#pool = new piscina.Piscina<Job, Result>({
      filename: compiled(module),
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      execArgv: [], // not this process's, such as conditions by which the tests find sources
    });
    // Of a thread that dies without a job, such as one whose module does not load: the next would do no better.
    this.#pool.on("error", (error: Error) => {
      this.#failure ??= error;
      for (const reject of this.#waiting) reject(error);
    });
  }

  /**
   * @throws WorkerCrash when the thread ended at one of the job's items
   * @throws whatever kept the job from beginning
   */
  async run(job: Omit<Job, "progress">): Promise<Result> {
    const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
    try {
      if (this.#failure) throw this.#failure;
      return await this.#untilFailure(this.#pool.run({ ...job, progress } as Job));
    } catch (error) {
      if (this.#failure) throw this.#failure;
      const item = Atomics.load(progress, 0);
      if (item < 0) throw error; // it never began, or is at none of its items
      throw new WorkerCrash(item, error as Error);
    }
  }

  /** A job's result, unless no thread will ever make it. A race of promises would keep every result. */
  #untilFailure(running: Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      running.then(resolve, reject).finally(() => this.#waiting.delete(reject));
    });
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
