import { Worker } from "node:worker_threads";
import { compiled } from "../../files/compiled.js";
import type { SamplerMessage, SamplerSetup } from "./messages.js";
import type { SystemReading } from "./system-reading.js";

/** At most so many readings come at once: a curve needs no more between two points of the others. */
const MOST_AT_ONCE = 10;
/** The thread may be waiting for a disk that does not answer. */
const CLOSE_MS = 1000;

export interface SystemSamplerOptions extends SamplerSetup {
  /** Gets what cannot be measured. */
  onNote: (text: string) => void;
}

/**
 * Looks at this process and its machine every few seconds, in a thread of its own. Where that fails, there are no
 * readings, and nothing else changes.
 */
export class SystemSampler implements AsyncDisposable {
  readonly #worker: Worker | undefined;
  #readings: SystemReading[] = [];
  #closed = false;

  constructor({ onNote, ...setup }: SystemSamplerOptions) {
    const fail = ({ message }: Error): void => {
      if (!this.#closed) onNote(`The machine is not measured any more: ${message}`);
      this.#closed = true;
    };
    try {
      this.#worker = new Worker(compiled(new URL("./sampler-worker.js", import.meta.url)), {
        workerData: setup,
        execArgv: [], // not this process's, such as conditions by which the tests find sources
      });
    } catch (error) {
      fail(error as Error); // such as a limit on threads
      return;
    }
    this.#worker.on("message", (message: SamplerMessage) => {
      if (message.kind === "note") onNote(message.text);
      else this.#add(message.reading);
    });
    this.#worker.on("error", (error) => fail(error as Error));
    this.#worker.on("exit", () => {
      this.#closed = true;
    });
    this.#worker.unref(); // a run that failed must end
  }

  /** The readings since the last call, oldest first; where there are many, some of them from all that time. */
  take(): SystemReading[] {
    const taken = thinned(this.#readings, MOST_AT_ONCE);
    this.#readings = [];
    return taken;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed || !this.#worker) return;
    this.#closed = true;
    const ended = new Promise<void>((resolve) => this.#worker?.once("exit", () => resolve()));
    this.#worker.ref();
    this.#worker.postMessage("end");
    const timer = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), CLOSE_MS).unref());
    if ((await Promise.race([ended, timer])) === "late") void this.#worker.terminate();
    this.#worker.unref();
  }

  #add(reading: SystemReading): void {
    this.#readings.push(reading);
    // A validation of hours lies between two calls.
    if (this.#readings.length > 20 * MOST_AT_ONCE)
      this.#readings = thinned(this.#readings, 10 * MOST_AT_ONCE);
  }
}

/** At most `most` of the items, evenly from all of them, the last among them. */
export function thinned<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from(
    { length: most },
    (_, index) => items[Math.ceil(((index + 1) * items.length) / most) - 1]!,
  );
}
