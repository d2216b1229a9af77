import type { TrainedTask } from "./trained-task.js";

/** What a run is, for whoever shows it beside others. */
export interface RunDescription {
  /** How people call it: the recipe's `run_name`, or the run directory's name. */
  name: string;
  /** The same over all interruptions, and no other run's: 8 letters and digits. */
  id: string;
  /** The run directory, absolute. */
  directory: string;
  task: TrainedTask;
  /** With all defaults, under the keys of docs/recipes.md. */
  recipe: Readonly<Record<string, unknown>>;
  /** The network's `config.json`, in Hugging Face's keys. */
  config: Readonly<Record<string, unknown>>;
  /** The module of one's own that transforms clips, a `file:` URL, and what it was. */
  transforms?: { module: string; sha256: string };
  /** Of the network, all and those that learn. */
  parameters: { all: number; trained: number };
  /** Processes that train together. */
  processes: number;
  /** Of rank 0. */
  host: string;
  /** Where the network computes, such as `cuda:0`. */
  device: string;
  /** The command, as it was typed. */
  command: readonly string[];
  versions: { wav2vec2: string; libtorch: string; node: string };
  /** When the run began first, in milliseconds since 1970. */
  began: number;
  /** Whether an earlier process of the same run was there. */
  resumed: boolean;
}

/** How a run ended. */
export interface RunEnd {
  state: "finished" | "interrupted" | "failed";
  /** What a run failed of. */
  reason?: string | undefined;
}
