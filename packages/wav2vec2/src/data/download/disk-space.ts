import { UserError } from "../../errors.js";
import { fullDiskReason } from "../../files/atomic/atomic-file.js";
import { freeBytes } from "../../files/free-bytes.js";

/** Left free beside what is needed, for others who write at the same time. */
const MARGIN = 100e6;

/** @throws UserError naming both numbers where `directory`'s disk has less than `bytes` and a margin left */
export async function requireDiskSpace(directory: string, bytes: number): Promise<void> {
  const free = await freeBytes(directory);
  const needed = bytes + MARGIN;
  if (free === undefined || free >= needed) return;
  throw new UserError(
    `${directory} must have ${size(needed)} of disk space free for the archives and what is unpacked from them, ` +
      `but has ${size(free)}. Free some, or give another directory with --to.`,
  );
}

/** What to throw for an error that came while writing to `directory`. */
export async function explainFullDisk(error: unknown, directory: string, name: string): Promise<unknown> {
  const reason = fullDiskReason(error);
  if (reason === undefined) return error;
  const free = await freeBytes(directory);
  const rest = free === undefined ? "" : ` (${size(free)} free after tidying up)`;
  return new UserError(
    `${directory} must have space for ${name}, but ${reason}${rest}. The archive so far stays: free some space, and the ` +
      "same command goes on from there.",
    { cause: error },
  );
}

function size(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
