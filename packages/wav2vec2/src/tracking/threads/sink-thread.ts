import { Worker } from "node:worker_threads";
import { UserError } from "../../errors.js";
import { compiled } from "../../files/compiled.js";
import type { SinkContext } from "../sink-context.js";
import type { Sink } from "../tracker.js";
import type { Answer, SinkSetup, Told } from "./messages.js";

/** More than this many things that a sink has not yet taken are a sink that cannot follow: what comes then is dropped. */
const MOST_WAITING = 10_000;
/** A message to a thread costs as much as what is in it: at most one in this time, with all that came meanwhile. */
const BATCH_MS = 500;
/** At its end a run waits this long for a sink that takes nothing any more. */
const CLOSE_SILENCE_MS = 60_000;

export interface SinkThreadOptions extends Omit<SinkContext, "now" | "working"> {
  /** How people call it, such as "TensorBoard". */
  name: string;
  /** URL of a module (compiled, or the source of one) whose default export is a `MakeSink`. */
  module: URL;
  /** What structured clones hold. */
  options?: unknown;
  mostWaiting?: number;
  closeSilenceMs?: number;
}

/**
 * A sink in a thread of its own, so that none slows training or another sink. Training waits for it in `begin` and
 * `close` alone. What fails in it is said once, and training goes on without it; what it cannot take in time is dropped,
 * counted and said.
 */
export function sinkThread({
  name,
  module,
  options,
  note,
  stop,
  mostWaiting = MOST_WAITING,
  closeSilenceMs = CLOSE_SILENCE_MS,
}: SinkThreadOptions): Sink {
  let worker: Worker | undefined;
  /** What the thread has not yet taken, and of it what it has not yet been sent. */
  let waiting = 0;
  let unsent: Told[] = [];
  let sent = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let dropped = 0;
  let closed = false;
  let failed: Error | undefined;
  let heard = performance.now();
  /** Who waits until all is taken. */
  let settle: ((failure?: Error) => void) | undefined;

  const fail = (error: Error): void => {
    if (failed) return;
    failed = error;
    unsent = [];
    if (!closed) note(`Training goes on without ${name}: ${error.message}`);
    settle?.();
  };
  const taken = (count: number): void => {
    waiting -= count;
    if (waiting === 0) settle?.();
  };
  const answered = (answer: Answer): void => {
    heard = performance.now();
    if (answer.kind === "note") note(answer.text);
    else if (answer.kind === "stop") stop(answer.reason);
    else if (answer.kind === "done") taken(answer.taken);
    else if (answer.kind === "working") return;
    else if (settle && answer.isUsers) settle(errorOf(answer));
    else fail(new Error(`${answer.message} (in ${answer.method})`, { cause: errorOf(answer) }));
  };
  /** With the first thing that it is told: a run that is refused starts none. */
  const start = (): Worker => {
    const workerData: SinkSetup = { module: compiled(module), options };
    const started = new Worker(compiled(new URL("./sink-worker.js", import.meta.url)), {
      workerData,
      execArgv: [], // not this process's, such as conditions by which the tests find sources
    });
    started.on("message", answered);
    started.on("error", (error) => fail(error as Error));
    started.on("exit", (code) => fail(new Error(`its thread ended with ${code}.`)));
    started.unref(); // a run that failed must end
    return started;
  };

  const send = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (unsent.length === 0) return;
    worker ??= start();
    worker.postMessage(unsent);
    unsent = [];
    sent = performance.now();
  };
  const put = (method: keyof Sink, values: readonly unknown[]): void => {
    waiting++;
    unsent.push({ method, values, time: Date.now() });
  };
  const passOn =
    (method: keyof Sink) =>
    (...values: readonly unknown[]): void => {
      if (closed || failed) return;
      if (waiting >= mostWaiting) {
        dropped++;
        return;
      }
      put(method, values);
      if (performance.now() - sent >= BATCH_MS) send();
      else timer ??= setTimeout(send, BATCH_MS).unref();
    };
  /** Rejects with what the sink refuses. */
  const awaited = (method: keyof Sink, values: readonly unknown[]): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failed) return resolve();
      settle = (failure) => {
        settle = undefined;
        if (failure) reject(failure);
        else resolve();
      };
      put(method, values);
      send();
      worker!.ref();
    });

  return {
    async begin(run) {
      try {
        await awaited("begin", [run]);
      } catch (error) {
        failed = error as Error; // it takes nothing of what the refused run still says
        throw error;
      } finally {
        worker?.unref();
      }
    },
    log: passOn("log"),
    planned: passOn("planned"),
    resumed: passOn("resumed"),
    note: passOn("note"),
    transcripts: passOn("transcripts"),
    codebooks: passOn("codebooks"),
    codedClips: passOn("codedClips"),
    histograms: passOn("histograms"),
    system: passOn("system"),
    saved: passOn("saved"),
    end: passOn("end"),
    async close() {
      if (closed || (!worker && unsent.length === 0)) return;
      if (dropped > 0) note(`${name} could not follow: ${dropped} things were not sent to it.`);
      heard = performance.now();
      const silence = new Promise<"silent">((resolve) => {
        const look = setInterval(
          () => {
            if (performance.now() - heard < closeSilenceMs) return;
            clearInterval(look);
            resolve("silent");
          },
          Math.min(250, closeSilenceMs),
        );
        look.unref();
      });
      const end = awaited("close", []).catch(fail);
      if ((await Promise.race([end, silence])) === "silent")
        note(`${name} did not answer for ${closeSilenceMs / 1000} s at the end of the run and is left.`);
      closed = true;
      await worker?.terminate();
    },
  };
}

function errorOf({ message, isUsers, stack }: Extract<Answer, { kind: "failed" }>): Error {
  const error = isUsers ? new UserError(message) : new Error(message);
  error.stack = stack;
  return error;
}
