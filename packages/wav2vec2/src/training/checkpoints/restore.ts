import type { optim } from "@wav2vec2/libtorch";
import type { World } from "../../distributed/world.js";
import type { OptimizerShards } from "../loop/optimizer-shards.js";
import { findCheckpoint, loadCheckpoint, type Progress } from "./checkpoint.js";

export interface RestoreOptions {
  resume: boolean;
  shards: OptimizerShards;
  world: World;
  onNote: (text: string) => void;
}

/**
 * The newest whole checkpoint of a run, where it goes on. Rank 0 reads it, so that hosts need no common disk; what the others
 * get here are its progress and room for their moments, whose values and the weights' are rank 0's to share.
 *
 * @returns undefined for a run that begins
 */
export async function restore(
  runDirectory: string,
  { resume, shards, world, onNote }: RestoreOptions,
): Promise<Progress | undefined> {
  const { module, optimizer } = shards;
  let own: { progress: Progress; steps: number[] } | null = null;
  if (resume && world.rank === 0) {
    const newest = await findCheckpoint(runDirectory, onNote);
    const load = (state: optim.OptimizerState) => shards.load(state);
    const progress =
      newest === undefined ? null : await loadCheckpoint(runDirectory, newest, module, optimizer, load);
    own = progress && { progress, steps: optimizer.state().steps };
  }
  const [first] = await world.gather(own);
  if (!first) return undefined;
  if (world.rank > 0) shards.load({ name: optimizer.name, steps: first.steps, moments: {} });
  return first.progress;
}
