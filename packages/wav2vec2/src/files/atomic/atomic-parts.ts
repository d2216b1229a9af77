import { open, realpath, rename, rm } from "node:fs/promises";
import { writeAll } from "@wav2vec2/libtorch/file-writes";
import { isStream, unwritable, writeFileAtomic } from "./atomic-file.js";

/**
 * Writes a file of any size from its parts, so that it is either complete or as before: to a temporary file beside it,
 * flushed to the disk, then renamed over it. Pipes and devices as in `writeFileAtomic`.
 *
 * @throws UserError naming the file where the system does not let it be written; else what making the parts throws
 */
export async function writePartsAtomic(
  given: string,
  parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<void> {
  if (await isStream(given)) {
    for await (const part of parts) await writeFileAtomic(given, part);
    return;
  }
  const path = await realpath(given).catch(() => given); // a link stays one
  const temporary = `${path}.${process.pid}.tmp`;
  const refused = (error: unknown): never => {
    throw unwritable(given, error);
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
