import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The libtorch that a bridge was built for, as set-up describes it. */
export interface BuiltFor {
  /** Folder of the torch package. */
  readonly root: string;
  /** For a build with CUDA: the major number of the oldest driver that runs it, and the headers that NCCL lacks. */
  readonly cuda?: { readonly oldestDriver?: number; readonly missing: readonly string[] };
}

/**
 * @param bridge path of the addon; set-up leaves the description beside it
 * @returns undefined where there is none
 */
export function builtFor(bridge: string): BuiltFor | undefined {
  const description = join(dirname(bridge), "libtorch.json");
  if (!existsSync(description)) return undefined;
  return JSON.parse(readFileSync(description, "utf8")) as BuiltFor;
}
