import { type nn, type optim, type Tensor, zerosLike } from "@wav2vec2/libtorch";
import type { World } from "../../distributed/world.js";
import { findCheckpoint, loadCheckpoint, type Progress } from "./checkpoint.js";

export interface RestoreOptions {
  resume: boolean;
  module: nn.Module;
  optimizer: optim.AdamW;
  world: World;
  onNote: (text: string) => void;
}

/**
 * The newest whole checkpoint of a run, where it goes on. Rank 0 reads it, so that hosts need no common disk; what the others
 * get here are its progress and room for the moments, whose values and the weights' are rank 0's to share.
 *
 * @returns undefined for a run that begins
 */
export async function restore(
  runDirectory: string,
  { resume, module, optimizer, world, onNote }: RestoreOptions,
): Promise<Progress | undefined> {
  let own: { progress: Progress; steps: number[] } | null = null;
  if (resume && world.rank === 0) {
    const newest = await findCheckpoint(runDirectory, onNote);
    const progress =
      newest === undefined ? null : await loadCheckpoint(runDirectory, newest, module, optimizer);
    own = progress && { progress, steps: optimizer.state().steps };
  }
  const [first] = await world.gather(own);
  if (!first) return undefined;
  if (world.rank > 0) {
    const room = first.steps.map((steps, i) => (steps > 0 ? zerosLike(optimizer.parameters[i]!) : undefined));
    optimizer.loadState({ steps: first.steps, firstMoments: room, secondMoments: room });
  }
  return first.progress;
}

/** The moments that there are, in the order of the parameters. */
export function momentsOf(optimizer: optim.AdamW): Tensor[] {
  const { firstMoments, secondMoments } = optimizer.state();
  return [...firstMoments, ...secondMoments].flatMap((moment) => moment ?? []);
}
