import { randomUUID } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { UserError } from "../errors.js";

interface Holder {
  pid: number;
  host: string;
  /** Of this one taking of the lock. */
  id: string;
}

/**
 * Takes the lock that `path` stands for, so that no other process writes what it guards. A lock that a killed process of
 * this machine left behind is taken over.
 *
 * @param guarded what only one process may write, for the message
 * @returns gives the lock back
 * @throws UserError where another process has it
 */
export async function lockFile(path: string, guarded: string): Promise<() => Promise<void>> {
  const own: Holder = { pid: process.pid, host: hostname(), id: randomUUID() };
  while (!(await isNew(path, JSON.stringify(own)))) {
    const holder = await readHolder(path);
    if (holder && isRunning(holder)) {
      throw new UserError(
        `${guarded} must be written by one process at a time, but process ${holder.pid} on ${holder.host} writes it. ` +
          `Wait for it or stop it; where it is another program by now, remove ${path}.`,
      );
    }
    await rm(path, { force: true });
  }
  return async () => {
    if ((await readHolder(path))?.id === own.id) await rm(path, { force: true });
  };
}

async function isNew(path: string, contents: string): Promise<boolean> {
  try {
    await writeFile(path, contents, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** undefined where the lock is gone, or is not one. */
async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

/** Another machine's processes cannot be seen: they count as running. */
function isRunning({ pid, host }: Holder): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}
