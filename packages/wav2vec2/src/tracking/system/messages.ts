import type { SystemReading } from "./system-reading.js";

/** What the thread is started with that looks at the machine. */
export interface SamplerSetup {
  rank: number;
  /** Seconds between two readings. */
  seconds: number;
  /** Whether to look at what the processes of a machine share. */
  machine: boolean;
  /** The run directory, where this process writes it. */
  directory: string | undefined;
  /** Where the network computes, such as `cuda:0`. */
  device: string;
}

/** What comes back from it. */
export type SamplerMessage = { kind: "reading"; reading: SystemReading } | { kind: "note"; text: string };
