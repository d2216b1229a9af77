import { open, rename, rm } from "node:fs/promises";
import { UserError } from "../errors.js";

const REASONS: Record<string, string> = {
  ENOENT: "its directory does not exist",
  ENOTDIR: "its directory is a file",
  EISDIR: "it is a directory",
  EACCES: "this user may not",
  EPERM: "this user may not",
  EROFS: "the disk is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "this user's quota of the disk is used up",
  EFBIG: "the disk takes no files of that size",
  EIO: "the disk fails (input/output error)",
};

/**
 * Writes a file so that it is either complete or as before: to a temporary file beside it, flushed to the
 * disk, then renamed over it.
 *
 * @throws UserError naming the file where the system does not let it be written
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
    await rm(temporary, { force: true }).catch(() => {});
    throw new UserError(`${path} must be a file that can be written, but ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

/** Whether something failed because the disk, or this user's share of it, is full: what may be over in an hour. */
export function isDiskFull(error: unknown): boolean {
  return fullDiskReason(error) !== undefined;
}

/** In words, which of both it was; undefined where something failed for another reason. */
export function fullDiskReason(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code = "" } = error as NodeJS.ErrnoException;
  return ["ENOSPC", "EDQUOT"].includes(code) ? reasonOf(error) : fullDiskReason(error.cause);
}

/** Why the system refused something of a file or directory, in words. */
export function reasonOf(error: unknown): string {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}
