import { open, realpath, rename, rm, stat } from "node:fs/promises";
import { UserError } from "../../errors.js";

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
 * disk, then renamed over it. A link stays one. What is no file, such as a pipe, `/dev/stdout` or `/dev/null`, is written to as
 * it is: a file in its place would take it away from everybody.
 *
 * @throws UserError naming the file where the system does not let it be written
 */
export async function writeFileAtomic(given: string, contents: string | Uint8Array): Promise<void> {
  if (await isStream(given)) return await writeStream(given, contents);
  const path = await realpath(given).catch(() => given);
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
    throw unwritable(given, error);
  }
}

/** The UserError for a file that the system does not let be written. */
export function unwritable(path: string, error: unknown): UserError {
  return new UserError(`${path} must be a file that can be written, but ${reasonOf(error)}.`, {
    cause: error,
  });
}

/** What `-` stands for where a file is to be written. */
export const STDOUT = "/dev/stdout";

/** Whether a path is something that is there and takes bytes, but no file: a pipe, a device, standard output. */
export async function isStream(path: string): Promise<boolean> {
  if (path === STDOUT || /^\/(dev|proc\/self)\/fd\/\d+$/.test(path)) return true; // also where a shell has put a file there
  const status = await stat(path).catch(() => undefined);
  return status !== undefined && !status.isFile() && !status.isDirectory();
}

async function writeStream(path: string, contents: string | Uint8Array): Promise<void> {
  try {
    if (path === STDOUT) await writeOut(contents);
    else {
      await using file = await open(path, "a");
      await file.writeFile(contents);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EPIPE") return; // whoever read it has enough
    throw unwritable(path, error);
  }
}

/** Not by its name, which cannot be opened where it is a socket. */
function writeOut(contents: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(contents, (error) => (error ? reject(error) : resolve()));
  });
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
