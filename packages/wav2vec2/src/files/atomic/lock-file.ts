import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { open, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as after } from "node:timers/promises";
import { UserError } from "../../errors.js";

interface Holder {
  pid: number;
  host: string;
  /** Of this one taking of the lock. */
  id: string;
  /** Tells the process from a later one with its number, as a restarted container has; undefined where that is unknown. */
  started?: string | undefined;
}

export interface LockOptions {
  /** Ends the waiting for a lock of another machine. */
  signal?: AbortSignal | undefined;
  /** Called where it is waited. */
  onNote?: ((text: string) => void) | undefined;
  /** After which a lock of another machine that shows no life is taken over. */
  patienceMs?: number;
}

/** A holder shows that it lives: its lock is touched so often, or as soon as a step lets it. */
const BEAT_MS = 10_000;
const PATIENCE_MS = 120_000;

/**
 * Takes the lock that `path` stands for, so that no other process writes what it guards. A lock that a killed process of
 * this machine left behind is taken over at once; that of another machine, which may have died, where nobody has touched
 * it for two minutes. Only that its time changes counts, not what it says: clocks may differ.
 *
 * @param guarded what only one process may write, for the message
 * @returns gives the lock back
 * @throws UserError where another process has it
 * @throws the signal's reason where it is aborted
 */
export async function lockFile(
  path: string,
  guarded: string,
  options: LockOptions = {},
): Promise<() => Promise<void>> {
  const started = startOf(process.pid);
  const own: Holder = { pid: process.pid, host: hostname(), id: randomUUID(), started };
  while (!(await isNew(path, JSON.stringify(own)))) {
    const holder = await readHolder(path);
    if (holder && (await isRunning(holder, path, guarded, options))) {
      throw new UserError(
        `${guarded} must be written by one process at a time, but process ${holder.pid} on ${holder.host} writes it. ` +
          `Wait for it or stop it; where it is another program by now, remove ${path}.`,
      );
    }
    await rm(path, { force: true });
  }
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {});
  }, BEAT_MS);
  beat.unref();
  return async () => {
    clearInterval(beat);
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

/**
 * Whether a process holds the lock that `path` stands for, as far as that can be told without waiting: another machine's
 * counts while it was touched lately.
 */
export async function isLocked(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  if (holder === undefined) return false;
  if (holder.host === hostname()) return lives(holder);
  const touched = await timeOf(path);
  return touched !== undefined && Date.now() - touched < PATIENCE_MS;
}

async function isRunning(
  holder: Holder,
  path: string,
  guarded: string,
  options: LockOptions,
): Promise<boolean> {
  const { pid, host } = holder;
  if (host !== hostname()) {
    const { patienceMs = PATIENCE_MS, onNote } = options;
    onNote?.(
      `Process ${pid} on ${host} has been writing ${guarded}. Looking for ${Math.round(patienceMs / 1000)} s whether it still lives.`,
    );
    return await isTouched(path, patienceMs, options.signal);
  }
  return lives(holder);
}

/** Whether a process of this machine is still there. */
function lives({ pid, started }: Holder): boolean {
  if (started !== undefined && started !== (startOf(pid) ?? started)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}

/** Whether a file changes within a time, or goes. */
async function isTouched(path: string, patienceMs: number, signal?: AbortSignal): Promise<boolean> {
  const before = await timeOf(path);
  const began = performance.now();
  while (performance.now() - began < patienceMs) {
    await after(Math.min(1000, patienceMs / 10), undefined, { signal }).catch(() => signal?.throwIfAborted());
    const now = await timeOf(path);
    if (now === undefined) return false; // given back
    if (now !== before) return true;
  }
  return false;
}

/** Opened for it: network file systems then ask the server instead of what they remember. */
async function timeOf(path: string): Promise<number | undefined> {
  try {
    await using file = await open(path, "r");
    return (await file.stat()).mtimeMs;
  } catch {
    return undefined;
  }
}

/** When a process began, as Linux counts it (proc(5)): ticks since this start of the system. */
function startOf(pid: number): string | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[19] === undefined ? undefined : `${boot} ${fields[19]}`;
  } catch {
    return undefined;
  }
}
