import { open, rename, rm } from "node:fs/promises";
import { writeAll } from "@wav2vec2/libtorch/file-writes";
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
