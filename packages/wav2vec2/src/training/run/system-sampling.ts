import { resolve } from "node:path";
import type { Device } from "@wav2vec2/libtorch";
import type { Place } from "../../distributed/place.js";
import type { World } from "../../distributed/world.js";
import { watchMachine } from "../../tracking/system/findings/watch-machine.js";
import { SystemSampler } from "../../tracking/system/system-sampler.js";
import type { Tracker } from "../../tracking/tracker.js";
import type { Recipe } from "../recipe/recipe.js";

/** Looks at this process as often as the recipe wants; one process of each machine at the machine, rank 0 at the run's disk. */
export function sampleSystem(
  recipe: Recipe,
  {
    world,
    place,
    device,
    tracker,
  }: { world: World; place: Place | undefined; device: Device; tracker: Tracker },
): SystemSampler {
  return new SystemSampler({
    rank: world.rank,
    seconds: recipe.system_seconds,
    machine: (place?.localRank ?? 0) === 0,
    directory: world.rank === 0 ? resolve(recipe.output) : undefined,
    device,
    onNote: (text) => tracker.note(text),
  });
}

/** A tracker that notes what is wrong with the machines of a run. */
export function withMachineFindings(tracker: Tracker, recipe: Recipe): Tracker {
  return watchMachine(tracker, {
    maxMinutes: recipe.max_minutes,
    saveSteps: recipe.save_steps,
    keepCheckpoints: recipe.keep_checkpoints,
    workers: recipe.data.workers,
  });
}
