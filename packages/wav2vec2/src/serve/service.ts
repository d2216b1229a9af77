import { ApiError } from "./api-error.js";
import type { Log } from "./log.js";
import type { ServeMetrics } from "./metrics.js";
import type { ServedModels } from "./models.js";

export interface ServeLimits {
  /** Of a recording that is uploaded. */
  maxBytes: number;
  maxSeconds: number;
  /** Forms that are received at once. */
  maxUploads: number;
  /** WebSockets that are open at once. */
  maxSockets: number;
}

/** A model is asked anew whether it computes when it has not done so for this long. */
const FRESH_SECONDS = 30;
const PROBE_SECONDS = 20;
/** Nobody is told to come back later than in so many seconds. */
const LATEST_RETRY = 60;

/** What all requests share. */
export class Service {
  /** No new requests are taken any more. */
  draining = false;
  #uploads = 0;
  /** Of recordings that were done lately, each newer one with a tenth of the weight. */
  #meanSeconds = 1;
  #lastDone = Date.now();
  #probing: Promise<void> | undefined;

  /** @param directory where uploads lie while they are recognised */
  constructor(
    readonly models: ServedModels,
    readonly limits: ServeLimits,
    readonly metrics: ServeMetrics,
    readonly log: Log,
    readonly directory: string,
    readonly language: string | undefined,
  ) {}

  /** Says that a recording was recognised. */
  noteDone(seconds: number): void {
    this.#meanSeconds += 0.1 * (seconds - this.#meanSeconds);
    this.#lastDone = Date.now();
  }

  /** Seconds until some of those that wait are done. */
  get retryAfter(): number {
    const stats = this.models.all.map(({ pool }) => pool.stats());
    const ahead = stats.reduce((sum, { waiting, running }) => sum + waiting / Math.max(1, running), 0);
    return Math.min(LATEST_RETRY, Math.max(1, Math.ceil(ahead * this.#meanSeconds)));
  }

  /**
   * Before a form is received.
   *
   * @throws ApiError 503 where the server ends, 429 where no model has room
   */
  requireRoom(): void {
    if (this.draining)
      throw new ApiError(503, "The server must be running, but is ending. Try another one, or again.", {
        code: "server_ending",
        retryAfter: 5,
      });
    const hasRoom = this.models.all.some(({ pool }) => {
      const { waiting, queue } = pool.stats();
      return waiting < queue || queue === 0;
    });
    if (!hasRoom || this.#uploads >= this.limits.maxUploads)
      throw new ApiError(
        429,
        "The server must have room for another recording, but as many wait as may. Try again later.",
        { type: "rate_limit_error", code: "queue_full", retryAfter: this.retryAfter },
      );
  }

  /** Receives a form. */
  async uploading<T>(receive: () => Promise<T>): Promise<T> {
    this.#uploads++;
    try {
      return await receive();
    } finally {
      this.#uploads--;
    }
  }

  /** @throws where a model does not compute, or the server ends */
  async requireReady(): Promise<void> {
    this.requireOpen();
    if (Date.now() - this.#lastDone < 1000 * FRESH_SECONDS) return;
    this.#probing ??= Promise.all(this.models.all.map((model) => model.probe(PROBE_SECONDS)))
      .then(() => {
        this.#lastDone = Date.now();
      })
      .finally(() => {
        this.#probing = undefined;
      });
    await this.#probing;
  }

  requireOpen(): void {
    if (this.draining) throw new ApiError(503, "The server is ending.", { code: "server_ending" });
  }
}
