import { randomBytes } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

/** A path beside another one that only this process uses, and those that ended processes left of the same kind. */
export interface ClaimedPath {
  own: string;
  /** The largest file first. */
  abandoned: string[];
}

/**
 * A name for work in progress on `path`: `<path>.<computer>-<process>.<random>.<kind>`. What another process works on
 * is left alone: it is known to have ended where it ran on this computer; elsewhere, its file counts as abandoned once
 * nothing was written to it for `quietAfter` milliseconds, if that is given.
 */
export async function claimPath(path: string, kind: string, quietAfter = Infinity): Promise<ClaimedPath> {
  const [directory, prefix] = [dirname(path), `${basename(path)}.`];
  const pattern = new RegExp(`^(.+)-(\\d+)\\.[0-9a-f]{8}\\.${kind}$`);
  const left: { path: string; size: number }[] = [];
  for (const name of await readdir(directory)) {
    if (!name.startsWith(prefix)) continue;
    const [matched, host, pid] = pattern.exec(name.slice(prefix.length)) ?? [];
    if (matched === undefined) continue;
    const found = join(directory, name);
    const state = await stat(found).catch(() => undefined); // another process may have taken it in this moment
    if (state === undefined) continue;
    const ended = host === hostname() ? !isOther(Number(pid)) : Date.now() - state.mtimeMs > quietAfter;
    if (ended) left.push({ path: found, size: state.size });
  }
  const own = `${path}.${hostname()}-${process.pid}.${randomBytes(4).toString("hex")}.${kind}`;
  return { own, abandoned: left.sort((a, b) => b.size - a.size).map((each) => each.path) };
}

/**
 * A name for a partial file that only this download has. What a process that ended left of the same file is taken
 * over, the longest of it.
 */
export async function claimPartial(path: string, quietAfter?: number): Promise<string> {
  const { own, abandoned } = await claimPath(path, "incomplete", quietAfter);
  let taken = false;
  for (const left of abandoned) {
    if (taken) {
      await rm(left, { force: true });
    } else {
      // Another process may have taken it over in this moment.
      taken = await rename(left, own).then(
        () => true,
        () => false,
      );
    }
  }
  return own;
}

/** Whether a process of this number is there and is not this one. */
function isOther(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}
