import type { World } from "./world.js";

/** Work of several processes ended because one of them was asked to stop. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/**
 * Every process's part of a work that one of them may be asked to stop.
 *
 * @param work throws the signal's reason where it is aborted
 * @returns the parts, by rank
 * @throws the signal's reason where it is this process that was asked
 * @throws Interrupted where it is another one
 */
export async function gatherParts<T extends object>(
  world: World,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T[]> {
  const own = await work().catch((error: unknown) => {
    if (signal?.aborted && error === signal.reason) return null;
    throw error;
  });
  const parts = await world.gather(own);
  if (own === null) throw signal!.reason;
  return parts.map((part) => {
    if (part === null) throw new Interrupted("Another process was asked to stop.");
    return part;
  });
}
