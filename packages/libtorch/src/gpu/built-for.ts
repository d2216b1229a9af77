import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { bridgePath } from "../../setup/places.mjs";

/** The libtorch that a bridge was built for, as set-up describes it. */
export interface BuiltFor {
  /** Folder of the torch package. */
  readonly root: string;
  readonly version: string;
  /** Why set-up took this one, for people. */
  readonly why: string;
  /** For a build with CUDA: its version, the major number of the oldest driver that runs it, and the headers that NCCL lacks. */
  readonly cuda?: {
    readonly version: string;
    readonly oldestDriver?: number;
    readonly missing: readonly string[];
  };
}

/**
 * Does not load the bridge, which would take a second and much memory.
 *
 * @param bridge path of the addon; set-up leaves the description beside it
 * @returns undefined where there is none, or set-up did not finish it
 */
export function builtFor(bridge = bridgePath()): BuiltFor | undefined {
  try {
    return JSON.parse(readFileSync(join(dirname(bridge), "libtorch.json"), "utf8")) as BuiltFor;
  } catch {
    return undefined;
  }
}
