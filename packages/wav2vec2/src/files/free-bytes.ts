import { statfs } from "node:fs/promises";

/** What is left for this user on a directory's disk; undefined where it cannot be told. */
export async function freeBytes(directory: string): Promise<number | undefined> {
  try {
    const { bavail, bsize, blocks } = await statfs(directory);
    return blocks > 0 ? bavail * bsize : undefined; // some network file systems count nothing
  } catch {
    return undefined;
  }
}
