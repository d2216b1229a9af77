import { setImmediate as turn } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { type OpenedSource, openSource } from "../../audio/sources/open-source.js";
import type { SourceParts } from "../../audio/sources/source-parts.js";
import { plainError, reviveError } from "../../error-transfer.js";
import { compiled } from "../../files/compiled.js";
import type { SharedModel } from "../../pretrained/shared-model.js";
import type { FromThread, JobSource, ThreadData, ThreadMemory, ToThread } from "./messages.js";
import { PoolError } from "./pool-error.js";
import type { PoolJob } from "./pool-job.js";

export interface ThreadEvents {
  /** It can take a job: the first one, or another beside those that it has. */
  onRoom(): void;
  /** It is no more; its jobs have failed. @param cause where it never was ready, why */
  onGone(thread: PoolThread, cause: Error | undefined): void;
  onNote(text: string): void;
  /** The network computes windows of so many recordings together. */
  onBatch?(windows: number): void;
}

/** A job in a thread. */
class Running {
  /** Of its source, where they are asked for one by one. */
  parts: SourceParts<Uint8Array> | SourceParts<Float32Array> | undefined;
  /** Ends the wait for its stream. */
  readonly idle = new AbortController();
  /** What its stream threw. */
  broken: unknown;

  constructor(readonly job: PoolJob) {}

  end(error: unknown): void {
    void this.parts?.return();
    this.job.end(error);
  }

  /** What the job's stream threw, of its own class, where that is what came back. */
  original(error: unknown): unknown {
    const { broken } = this;
    const isSame = broken instanceof Error && error instanceof Error && broken.message === error.message;
    return isSame ? broken : error;
  }
}

/** A thread of a pool, as the pool's own thread sees it. */
export class PoolThread {
  /** The model that it has loaded, or undefined where it was given one; rejected where it cannot be used. */
  readonly ready: Promise<SharedModel | undefined>;
  memory: ThreadMemory = { heap: 0, arrays: 0 };
  readonly #worker: Worker;
  readonly #events: ThreadEvents;
  readonly #running = new Map<number, Running>();
  #isReady = false;
  #isGone = false;
  #failure: Error | undefined;

  /**
   * @param together jobs that it takes at once
   * @param idleSeconds how long a job's stream may give nothing
   */
  constructor(
    data: ThreadData,
    events: ThreadEvents,
    readonly together = 1,
    readonly idleSeconds = Number.POSITIVE_INFINITY,
  ) {
    this.#events = events;
    const module = new URL("./pool-worker.js", import.meta.url);
    // Not with this process's arguments, such as conditions by which the tests find sources.
    this.#worker = new Worker(compiled(module), { workerData: data, execArgv: [] });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.on("message", (message: FromThread) => {
        if (message.kind === "ready") resolve(message.shared);
        this.#take(message);
      });
      this.#worker.on("error", (error) => {
        this.#failure ??= error instanceof Error ? error : new Error(String(error));
      });
      this.#worker.on("exit", (code) => {
        const cause = this.#failure ?? new Error(`its thread ended with code ${code}`);
        reject(cause);
        this.#endAll(
          new PoolError("ERR_POOL_THREAD", `The thread at work ended: ${cause.message}.`, { cause }),
        );
        events.onGone(this, this.#isReady ? undefined : cause);
      });
    });
    this.ready.catch(() => {}); // told to the pool
  }

  /** Jobs that it has. */
  get jobs(): number {
    return this.#running.size;
  }

  get hasRoom(): boolean {
    return this.#isReady && !this.#isGone && this.jobs < this.together;
  }

  /** Must have room. */
  async begin(job: PoolJob): Promise<void> {
    const running = new Running(job);
    this.#running.set(job.id, running);
    this.#worker.ref();
    const { source: given, name, raw, task, signal } = job.request;
    const ends = [running.idle.signal, ...(signal ? [signal] : [])];
    try {
      const opening = openSource(given, { name, signal: AbortSignal.any(ends) });
      const source = await this.#sourceOf(running, await this.#patiently(running, opening));
      if (!job.ended) {
        this.#send({ kind: "begin", job: job.id, source, raw, task });
        return;
      }
    } catch (error) {
      job.end(error);
    }
    this.#end(running, undefined); // it was given up meanwhile, or there is no such source
  }

  /** Ends a job between two windows; the thread stays. */
  abort(job: PoolJob): void {
    if (this.#running.has(job.id)) this.#send({ kind: "abort", job: job.id });
  }

  /** Ends the thread, also at work. @param reason what its jobs fail with */
  async close(reason?: Error): Promise<void> {
    this.#endAll(reason);
    await this.#worker.terminate();
  }

  #take(message: FromThread): void {
    if (message.kind === "ready") {
      this.#isReady = true;
      this.memory = message.memory;
      this.#worker.unref(); // an idle pool keeps no process alive
      this.#events.onRoom();
      return;
    }
    if (message.kind === "unusable") {
      this.#failure = reviveError(message.error);
      void this.close();
      return;
    }
    if (message.kind === "batch") {
      this.#events.onBatch?.(message.windows);
      return;
    }
    if (message.kind === "note" && message.job === undefined) this.#events.onNote(message.text);
    const running = message.job === undefined ? undefined : this.#running.get(message.job);
    if (running === undefined) return;
    const { job } = running;
    if (message.kind === "result") job.add(message.result);
    else if (message.kind === "partial") this.#tell(job, job.request.onPartial, message.text);
    else if (message.kind === "note") this.#tell(job, job.request.onNote, message.text);
    else if (message.kind === "pull") void this.#sendPart(running);
    else if (message.kind === "end") {
      this.memory = message.memory;
      this.#end(running, message.error && running.original(reviveError(message.error)));
    }
  }

  /** What a callback throws ends its job: there is nobody else to tell. */
  #tell(job: PoolJob, callback: ((text: string) => void) | undefined, text: string): void {
    if (job.ended) return;
    try {
      callback?.(text);
    } catch (error) {
      job.end(error);
      this.abort(job);
    }
  }

  #end(running: Running, error: unknown): void {
    running.end(error);
    this.#running.delete(running.job.id);
    if (this.jobs === 0) this.#worker.unref();
    this.#events.onRoom();
  }

  #endAll(error: unknown): void {
    this.#isGone = true;
    for (const running of this.#running.values()) running.end(error);
    this.#running.clear();
  }

  async #sourceOf(running: Running, opened: OpenedSource): Promise<JobSource> {
    const { name } = opened;
    if (opened.kind === "bytes") return { kind: "bytes", name, bytes: await shared(opened.bytes) };
    if (opened.kind === "file") return opened;
    running.parts = opened.kind === "stream" ? opened.chunks : opened.blocks;
    if (opened.kind === "stream") return { kind: "stream", name, isWhole: opened.isWhole };
    return { kind: "samples", name, sampleRate: opened.sampleRate };
  }

  async #sendPart(running: Running): Promise<void> {
    const { job, parts } = running;
    const isOver = () => this.#running.get(job.id) !== running;
    try {
      const next =
        parts && (await this.#patiently<IteratorResult<Uint8Array | Float32Array>>(running, parts.next()));
      if (isOver()) return;
      // A view of a larger buffer would be posted with all of it.
      const part = !next || next.done ? undefined : copyOf(next.value);
      this.#send({ kind: "part", job: job.id, part }, part && [part.buffer as ArrayBuffer]);
    } catch (error) {
      if (isOver()) return;
      if (error instanceof PoolError) {
        job.end(error);
        this.abort(job);
      } else {
        running.broken = error;
        this.#send({ kind: "broken", job: job.id, error: plainError(error) });
      }
    }
  }

  /** What comes of a job's stream, or nothing in time: the thread is then needed by others. */
  async #patiently<T>({ idle }: Running, waiting: Promise<T>): Promise<T> {
    if (this.idleSeconds === Number.POSITIVE_INFINITY) return await waiting;
    const message = `The recording must go on within ${this.idleSeconds} s, but its stream gave nothing. Send it again.`;
    const timer = setTimeout(
      () => idle.abort(new PoolError("ERR_POOL_IDLE", message)),
      1000 * this.idleSeconds,
    );
    try {
      return await waiting;
    } finally {
      clearTimeout(timer);
    }
  }

  #send(message: ToThread, transferred: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transferred);
  }
}

function copyOf(part: Uint8Array | Float32Array): Uint8Array | Float32Array {
  return part instanceof Float32Array ? part.slice() : new Uint8Array(part);
}

/** Bytes that are copied before the event loop has its turn. */
const SLICE = 2 ** 20;

/** A copy in memory that threads share. */
async function shared(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes.buffer instanceof SharedArrayBuffer) return bytes;
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  for (let at = 0; at < bytes.length; at += SLICE) {
    copy.set(bytes.subarray(at, at + SLICE), at);
    if (at + SLICE < bytes.length) await turn();
  }
  return copy;
}
