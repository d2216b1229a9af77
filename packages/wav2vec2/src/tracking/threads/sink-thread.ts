import { Worker } from "node:worker_threads";
import { UserError } from "../../errors.js";
import { compiled } from "../../files/compiled.js";
import type { SinkContext } from "../sink-context.js";
import type { Sink } from "../tracker.js";
import type { Answer, SinkSetup, Told } from "./messages.js";

/** More than this many things that a sink has not yet taken are a sink that cannot follow: what comes then is dropped. */
const MOST_WAITING = 10_000;
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
  const waiting: { method: keyof Sink; settle?: (failure?: Error) => void }[] = [];
  let dropped = 0;
  let closed = false;
  let failed: Error | undefined;
  let heard = performance.now();

  const fail = (error: Error): void => {
    if (failed) return;
    failed = error;
    for (const { settle } of waiting.splice(0)) settle?.(error);
    if (!closed) note(`Training goes on without ${name}: ${error.message}`);
  };
  const done = (failure?: Error): void => {
    const { method, settle } = waiting.shift() ?? { method: "note" };
    if (settle) settle(failure);
    else if (failure) fail(new Error(`${failure.message} (in ${method})`, { cause: failure }));
  };
  /** With the first thing that it is told: a run that is refused starts none. */
  const start = (): Worker => {
    const workerData: SinkSetup = { module: compiled(module), options };
    const started = new Worker(compiled(new URL("./sink-worker.js", import.meta.url)), {
      workerData,
      execArgv: [], // not this process's, such as conditions by which the tests find sources
    });
    started.on("message", (answer: Answer) => {
      heard = performance.now();
      if (answer.kind === "note") note(answer.text);
      else if (answer.kind === "stop") stop(answer.reason);
      else if (answer.kind === "done") done(answer.failure && errorOf(answer.failure));
    });
    started.on("error", (error) => fail(error as Error));
    started.on("exit", (code) => fail(new Error(`its thread ended with ${code}.`)));
    started.unref(); // a run that failed must end
    return started;
  };

  const post = (method: keyof Sink, values: readonly unknown[], settle?: (failure?: Error) => void): void => {
    if (closed || failed) {
      settle?.();
      return;
    }
    if (waiting.length >= mostWaiting && !settle) {
      dropped++;
      return;
    }
    waiting.push(settle ? { method, settle } : { method });
    worker ??= start();
    worker.postMessage({ method, values, time: Date.now() } satisfies Told);
  };
  const awaited = (method: keyof Sink, values: readonly unknown[]): Promise<void> =>
    new Promise((resolve, reject) =>
      post(method, values, (failure) => (failure ? reject(failure) : resolve())),
    );
  const passOn =
    (method: keyof Sink) =>
    (...values: readonly unknown[]): void =>
      post(method, values);

  return {
    async begin(run) {
      worker ??= start();
      worker.ref();
      try {
        await awaited("begin", [run]);
      } catch (error) {
        if (error instanceof UserError) throw error;
        fail(error as Error);
      } finally {
        worker.unref();
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
      if (closed || !worker) return;
      if (dropped > 0) note(`${name} could not follow: ${dropped} things were not sent to it.`);
      heard = performance.now();
      worker.ref();
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
      const end = awaited("close", []).catch((error: Error) => fail(error));
      if ((await Promise.race([end, silence])) === "silent")
        note(`${name} did not answer for ${closeSilenceMs / 1000} s at the end of the run and is left.`);
      closed = true;
      await worker.terminate();
    },
  };
}

function errorOf({
  message,
  isUsers,
  stack,
}: NonNullable<Extract<Answer, { kind: "done" }>["failure"]>): Error {
  const error = isUsers ? new UserError(message) : new Error(message);
  if (stack) error.stack = stack;
  return error;
}
