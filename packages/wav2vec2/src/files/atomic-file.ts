import { open, rename, rm } from "node:fs/promises";

/**
 * Writes a file so that it is either complete or as before: to a temporary file beside it, flushed to the
 * disk, then renamed over it.
 */
export async function writeFileAtomic(path: string, contents: string | Uint8Array): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    {
      await using file = await open(temporary, "w");
      await file.writeFile(contents);
      await file.sync();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
