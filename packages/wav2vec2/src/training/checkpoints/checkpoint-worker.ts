import type { Watched } from "../../data/worker-pool.js";
import { type CheckpointJob, type WriteOutcome, writeCheckpoint } from "./checkpoint-files.js";

/** What the thread beside training does. */
export interface WriterJob extends Watched {
  /** Memory that is going to be written, of which the system is to be asked before training waits for it. */
  warm?: readonly Uint8Array[];
  write?: CheckpointJob;
}

/** What the thread runs: {@link writeCheckpoint}. */
export default async function work({ warm = [], write }: WriterJob): Promise<WriteOutcome> {
  for (const block of warm) block.fill(0);
  return write ? await writeCheckpoint(write) : {};
}
