import { existsSync } from "node:fs";
import { mkdir, realpath, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { syncDirectory } from "@wav2vec2/libtorch/file-writes";
import { makeDirectory } from "../make-directory.js";

/** Hidden names beside a directory that nobody else would choose, so that nothing but our own is ever removed. */
function besides(path: string): { temporary: string; replaced: string } {
  const name = (kind: string) => join(dirname(path), `.${basename(path)}.wav2vec2-${kind}`);
  return { temporary: name("new"), replaced: name("old") };
}

/** The directory that a hidden name beside it is of; undefined for other names. */
export function directoryOf(hidden: string): string | undefined {
  return /^\.(.+)\.wav2vec2-(?:new|old)$/.exec(hidden)?.[1];
}

/**
 * Mends what a process that was killed in {@link writeDirectoryAtomic} left: between its two renames the directory
 * is only there under its other name. One process at a time may write a directory.
 */
export async function recoverDirectory(given: string): Promise<void> {
  const path = resolve(given); // without a slash at its end
  const { temporary, replaced } = besides(path);
  if (!existsSync(path) && existsSync(replaced)) await rename(replaced, path);
  await rm(replaced, { recursive: true, force: true });
  await rm(temporary, { recursive: true, force: true });
}

/**
 * Fills a directory so that it is complete or as before, also where the power goes: `write` works in a temporary one
 * beside it, whose files it flushes to the disk, and which is then renamed into place.
 */
export async function writeDirectoryAtomic(
  given: string,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const path = await realpath(given).catch(() => resolve(given)); // a link stays one
  const { temporary, replaced } = besides(path);
  await makeDirectory(dirname(path));
  await recoverDirectory(path);
  await mkdir(temporary);
  try {
    await write(temporary);
    await syncDirectory(temporary);
    await rename(path, replaced).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
    await rename(temporary, path);
    await syncDirectory(dirname(path));
  } finally {
    await recoverDirectory(path);
  }
}

/** Removes a directory so that it is there as it was or not at all, whenever the process is killed. */
export async function removeDirectoryAtomic(given: string): Promise<void> {
  const path = resolve(given);
  await recoverDirectory(path);
  const { temporary } = besides(path); // what is half-written goes, what is half-removed too
  await rename(path, temporary);
  await rm(temporary, { recursive: true, force: true });
}
