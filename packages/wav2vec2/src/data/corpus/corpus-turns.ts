import { setImmediate as nextTurn } from "node:timers/promises";

// The time between two frames of a progress line.
const SLICE_MS = 16;
// Asking the clock is a tenth of the work between two questions.
const CALLS_PER_LOOK = 16;

/**
 * Splits long synchronous work into slices, so that timers, progress and Ctrl+C are served meanwhile. Synchronous
 * file calls cost a tenth of asynchronous ones in Node, which counts for a hundred thousand files:
 * `if (turns.due) await turns.next()`.
 */
export class EventLoopTurns {
  #began = performance.now();
  #calls = 0;

  constructor(readonly signal?: AbortSignal | undefined) {
    signal?.throwIfAborted();
  }

  get due(): boolean {
    return ++this.#calls % CALLS_PER_LOOK === 0 && performance.now() - this.#began > SLICE_MS;
  }

  /** @throws the signal's reason once it is aborted */
  async next(): Promise<void> {
    await nextTurn();
    this.signal?.throwIfAborted();
    this.#began = performance.now();
  }
}
