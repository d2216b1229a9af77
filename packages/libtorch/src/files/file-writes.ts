import { type FileHandle, open } from "node:fs/promises";

/** Node refuses to write 2 GiB or more in one call. */
const CHUNK_BYTES = 2 ** 30;

/** Writes bytes of any number where a file stands: one call may write less than it is given. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const length = Math.min(CHUNK_BYTES, bytes.byteLength - done);
    done += (await file.write(bytes, done, length)).bytesWritten;
  }
}

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
