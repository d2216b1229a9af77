import { type Device, gpus } from "@wav2vec2/libtorch";
import { resolveDevice } from "../../device.js";
import { joinWorld } from "../../distributed/join-world.js";
import { type Place, placeFromEnvironment } from "../../distributed/place.js";
import type { World } from "../../distributed/world.js";
import { ConfigurationError } from "../../errors.js";
import type { Recipe } from "../recipe/recipe.js";

/**
 * The place that a launcher gave this process among several; undefined where it is alone.
 *
 * @param onNote gets what is likely not as it was meant
 * @throws ConfigurationError as `placeFromEnvironment`
 */
export function ownPlace(onNote: (text: string) => void = () => {}): Place | undefined {
  const { cudaDevices } = gpus();
  const stdinIsTerminal = process.stdin.isTTY === true;
  const place = placeFromEnvironment(process.env, { gpus: cudaDevices, stdinIsTerminal, onNote });
  return place && place.size > 1 ? place : undefined;
}

/**
 * Where a process of a recipe computes: each of a host on a GPU of its own.
 *
 * @throws ConfigurationError where the device is not there, or several processes would share one by name
 */
export function deviceOf({ device: wanted }: Pick<Recipe, "device">, place: Place | undefined): Device {
  if (place && place.localSize > 1 && /^cuda:/.test(wanted))
    throw new ConfigurationError(
      `device must be cuda with several processes on a host, which gives each a GPU of its own, but is ${wanted}. Choose GPUs ` +
        "with CUDA_VISIBLE_DEVICES.",
    );
  const { cudaDevices } = gpus();
  return resolveDevice(wanted, { index: (place?.localRank ?? 0) % Math.max(1, cudaDevices) });
}

/**
 * Meets the processes that a launcher started with this one.
 *
 * @throws DistributedError where they cannot be met
 */
export async function meet(
  place: Place,
  { distributed }: Pick<Recipe, "distributed">,
  device: Device,
): Promise<{ world: World } & AsyncDisposable> {
  const world = await joinWorld(place, { device, timeoutSeconds: distributed.timeout });
  return { world, [Symbol.asyncDispose]: () => world.close() };
}
