import type { Sink } from "../tracker.js";

/** What a sink is told: the method of a tracker, what it is called with, and when. */
export interface Told {
  method: keyof Sink;
  values: readonly unknown[];
  /** Milliseconds since 1970. */
  time: number;
}

/** What a sink's thread is started with. */
export interface SinkSetup {
  /** Path of a compiled module whose default export is a {@link MakeSink}. */
  module: string;
  options: unknown;
}

/** What comes back from a sink's thread. */
export type Answer =
  /** How many things were taken since the last such answer. */
  | { kind: "done"; taken: number }
  | { kind: "failed"; method: keyof Sink; message: string; isUsers: boolean; stack: string }
  | { kind: "working" }
  | { kind: "note"; text: string }
  | { kind: "stop"; reason: string };
