import { setImmediate as turn } from "node:timers/promises";
import type { ClipScorer, Emissions } from "../emissions/emissions.js";

/** Samples of a batch at most, padding included: 60 s, what `transcribeFiles` takes too. */
const MOST_SAMPLES = 60 * 16_000;
const MOST_CLIPS = 32;
/** A batch's shortest window has at least this share of the longest one's samples. */
const SIMILAR = 0.8;
/** Turns of the event loop in which others' windows may still come. */
const TURNS = 3;

/** A network that scores windows together. */
export interface WindowScorer extends Omit<ClipScorer, "score"> {
  /** Of each window all of its frames. */
  scoreWindows(windows: readonly Float32Array[]): readonly Emissions[] | Promise<readonly Emissions[]>;
  /** How many it takes at once; 1 where that is no faster than each alone. Default: 32 */
  mostWindows?: number | undefined;
  /** Samples of a batch at most, padding included; one window may have more. Default: 60 s */
  mostSamples?: number | undefined;
}

interface Waiting {
  samples: Float32Array;
  /** When it is its turn, in samples of fair sharing. */
  due: number;
  resolve(emissions: Emissions): void;
  reject(error: unknown): void;
}

/**
 * The network of one thread, for several recordings at once. Windows of similar length are computed together. Whose turn it
 * is, self-clocked fair queueing says (Golestani 1994): each recording gets the same share of the network, so a long one comes
 * back to the queue after each window, a short one that comes meanwhile does not wait for its end, and none waits for ever.
 */
export class WindowBatches {
  readonly #waiting: Waiting[] = [];
  /** When it was the turn of the last batch. */
  #now = 0;
  #running = false;

  /**
   * @param onBatch is told of each batch: how many windows it has
   */
  constructor(
    readonly network: WindowScorer,
    readonly onBatch: (windows: number) => void,
  ) {}

  /** For one recording, whose windows come one after another. */
  recording(): ClipScorer {
    let before = 0;
    const score = (samples: Float32Array) => {
      const due = Math.max(this.#now, before) + samples.length;
      before = due;
      return new Promise<Emissions>((resolve, reject) => {
        this.#waiting.push({ samples, due, resolve, reject });
        if (!this.#running) void this.#run();
      });
    };
    return { config: this.network.config, normalize: this.network.normalize, score };
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      for (let at = 0; at < TURNS; at++) await turn();
      await this.#compute(this.#takeBatch());
    }
    this.#running = false;
  }

  #takeBatch(): Waiting[] {
    const { mostWindows = MOST_CLIPS, mostSamples = MOST_SAMPLES } = this.network;
    const waiting = this.#waiting.sort((a, b) => a.due - b.due);
    const first = waiting[0]!;
    this.#now = Math.max(this.#now, first.due);
    const batch: Waiting[] = [];
    let longest = 0;
    let shortest = Number.POSITIVE_INFINITY;
    for (const each of waiting) {
      const { length } = each.samples;
      const [most, least] = [Math.max(longest, length), Math.min(shortest, length)];
      const fits = (batch.length + 1) * most <= mostSamples && least >= SIMILAR * most;
      if (batch.length > 0 && !fits) continue;
      batch.push(each);
      [longest, shortest] = [most, least];
      if (batch.length >= mostWindows) break;
    }
    for (const each of batch) waiting.splice(waiting.indexOf(each), 1);
    return batch;
  }

  /** What fails together is tried one by one, so that a recording's fault is its own. */
  async #compute(batch: readonly Waiting[]): Promise<void> {
    this.onBatch(batch.length);
    try {
      const scores = await this.network.scoreWindows(batch.map(({ samples }) => samples));
      for (const [row, { resolve }] of batch.entries()) resolve(scores[row]!);
    } catch (error) {
      if (batch.length === 1) batch[0]!.reject(error);
      else for (const each of batch) await this.#compute([each]);
    }
  }
}
