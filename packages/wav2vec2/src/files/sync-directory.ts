import { open } from "node:fs/promises";

/** Flushes which files a directory has to the disk: without it a power cut can undo a rename. */
export async function syncDirectory(path: string): Promise<void> {
  if (process.platform === "win32") return; // directories cannot be opened there
  await using directory = await open(path, "r");
  try {
    await directory.sync();
  } catch (error) {
    // Some network file systems have no such thing.
    if (!["EINVAL", "ENOTSUP", "EBADF"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
