import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inject } from "vitest";

/**
 * What several test files begin with: the first that needs it makes it, others wait for that. It is not to be changed.
 *
 * @param name of the directory
 * @param make fills an empty directory
 * @returns the directory
 */
export async function madeOnce(name: string, make: (directory: string) => Promise<void>): Promise<string> {
  const made = join(inject("sharedDirectory"), name);
  const making = `${made}.making`;
  while (!existsSync(made)) {
    const isMine = await mkdir(making).then(
      () => true,
      () => false,
    );
    if (!isMine) await sleep(50);
    else if (!existsSync(made)) await make(making).then(() => rename(making, made), abandon);
    else await rm(making, { recursive: true });
  }
  return made;

  async function abandon(error: unknown): Promise<never> {
    await rm(making, { recursive: true, force: true });
    throw error;
  }
}
