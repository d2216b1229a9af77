import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { UserError } from "../errors.js";
import { reasonOf } from "./atomic-file.js";

/**
 * Writes a file of any size from its parts, so that it is either complete or as before: to a temporary file beside it,
 * flushed to the disk, then renamed over it.
 *
 * @throws UserError naming the file where the system does not let it be written; else what making the parts throws
 */
export async function writePartsAtomic(
  path: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const refused = (error: unknown): never => {
    throw new UserError(`${path} must be a file that can be written, but ${reasonOf(error)}.`, {
      cause: error,
    });
  };
  try {
    {
      await using file = await open(temporary, "w").catch(refused);
      for await (const part of parts) await writeAll(file, part).catch(refused);
      await file.sync().catch(refused);
    }
    await rename(temporary, path).catch(refused);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}

/** Node writes less than 2 GiB in one call, and sometimes less than it is given. */
const MOST_AT_ONCE = 2 ** 30;

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(MOST_AT_ONCE, bytes.length - done);
    done += (await file.write(bytes, done, length)).bytesWritten;
  }
}
