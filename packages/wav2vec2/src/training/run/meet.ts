import { libtorchInfo } from "@wav2vec2/libtorch";
import { joinWorld } from "../../distributed/join-world.js";
import { type Place, placeFromEnvironment } from "../../distributed/place.js";
import type { World } from "../../distributed/world.js";
import type { Recipe } from "../recipe/recipe.js";

/** The place that a launcher gave this process; undefined where none did. @throws ConfigurationError as `placeFromEnvironment` */
export function ownPlace(): Place | undefined {
  const gpus = libtorchInfo().cuda ? 1 : 0;
  return placeFromEnvironment(process.env, { gpus, stdinIsTerminal: process.stdin.isTTY === true });
}

/**
 * Meets the processes that a launcher started with this one.
 *
 * @returns undefined where none did
 * @throws DistributedError where they cannot be met
 */
export async function meet(recipe: Recipe): Promise<({ world: World } & AsyncDisposable) | undefined> {
  const place = ownPlace();
  if (!place || place.size === 1) return undefined;
  const world = await joinWorld(place, { device: "cpu", timeoutSeconds: recipe.distributed.timeout });
  return { world, [Symbol.asyncDispose]: () => world.close() };
}
