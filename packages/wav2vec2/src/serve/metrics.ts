import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { apiErrorOf } from "./api-error.js";
import type { ServedModels } from "./models.js";

/** Seconds: from a short clip to a long recording. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

/** What is counted and measured, for Prometheus. */
export class ServeMetrics {
  readonly registry = new Registry();
  readonly requests = new Counter({
    name: "wav2vec2_http_requests_total",
    help: "Requests that were answered.",
    labelNames: ["route", "method", "status"],
    registers: [this.registry],
  });
  readonly requestSeconds = new Histogram({
    name: "wav2vec2_http_request_seconds",
    help: "From a request's headers to the end of its answer.",
    labelNames: ["route"],
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly audioSeconds = new Counter({
    name: "wav2vec2_audio_seconds_total",
    help: "Audio that was recognised.",
    labelNames: ["model", "kind"],
    registers: [this.registry],
  });
  readonly recordings = new Counter({
    name: "wav2vec2_recordings_total",
    help: "Recordings by how they ended: done, refused (the client's fault), busy, left (the client went), failed.",
    labelNames: ["model", "kind", "end"],
    registers: [this.registry],
  });
  readonly batchWindows = new Histogram({
    name: "wav2vec2_batch_windows",
    help: "Windows of recordings that the network computed together.",
    labelNames: ["model"],
    buckets: [1, 2, 4, 8, 16, 32],
    registers: [this.registry],
  });
  readonly sockets = new Gauge({
    name: "wav2vec2_websockets",
    help: "Open WebSockets.",
    labelNames: ["kind"],
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Tells how busy the pools are whenever it is asked. */
  watch(models: ServedModels): void {
    const gauge = (name: string, help: string, value: (stats: PoolNumbers) => number) =>
      new Gauge({
        name,
        help,
        labelNames: ["model"],
        registers: [this.registry],
        collect() {
          this.reset();
          for (const { name: model, pool } of models.all) this.set({ model }, value(pool.stats()));
        },
      });
    gauge("wav2vec2_recordings_running", "Recordings at work.", ({ running }) => running);
    gauge("wav2vec2_recordings_waiting", "Recordings that wait for a place.", ({ waiting }) => waiting);
    gauge("wav2vec2_pool_threads", "Threads that recognise.", ({ threads }) => threads);
  }
}

interface PoolNumbers {
  running: number;
  waiting: number;
  threads: number;
}

/** How a recording ended: recognised; refused, by the client's fault; without room; given up by its client; by a fault of the server. */
export type RecordingEnd = "done" | "refused" | "busy" | "left" | "failed";

export function endOf(error: unknown): RecordingEnd {
  const { status } = apiErrorOf(error);
  if (status === 429 || status === 503) return "busy";
  return status < 500 ? "refused" : "failed";
}
