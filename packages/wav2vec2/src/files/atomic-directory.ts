import { existsSync } from "node:fs";
import { mkdir, realpath, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Mends what a process that was killed in {@link writeDirectoryAtomic} left: between its two renames the directory
 * is only there under its other name. One process at a time may write a directory.
 */
export async function recoverDirectory(given: string): Promise<void> {
  const path = resolve(given); // without a slash at its end
  if (!existsSync(path) && existsSync(`${path}.old`)) await rename(`${path}.old`, path);
  await rm(`${path}.old`, { recursive: true, force: true });
  await rm(`${path}.tmp`, { recursive: true, force: true });
}

/**
 * Fills a directory so that it is complete or as before: `write` works in a temporary one beside it, which is
 * then renamed into place.
 */
export async function writeDirectoryAtomic(
  given: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const path = await realpath(given).catch(() => resolve(given)); // a link stays one
  const temporary = `${path}.tmp`;
  const replaced = `${path}.old`;
  await mkdir(dirname(path), { recursive: true });
  await recoverDirectory(path);
  await mkdir(temporary);
  try {
    await write(temporary);
    await rename(path, replaced).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rename(temporary, path);
  } finally {
    await recoverDirectory(path);
  }
}
