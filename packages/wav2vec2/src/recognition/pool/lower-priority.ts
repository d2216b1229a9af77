import { readlinkSync } from "node:fs";
import { getPriority, setPriority } from "node:os";

/** What the system takes at most. */
const LOWEST = 19;

/**
 * Lets the system prefer all other threads of this process to the one that calls, and to those that it starts: what answers
 * others is then not kept waiting for a core. On Linux alone, where a thread has a priority of its own.
 *
 * @param by steps of niceness; 0 leaves it
 */
export function lowerPriority(by: number): void {
  if (process.platform !== "linux" || by === 0) return;
  try {
    const thread = Number(readlinkSync("/proc/thread-self").split("/").at(-1));
    setPriority(thread, Math.min(LOWEST, getPriority(thread) + by));
  } catch {
    // Where /proc is not there, or a sandbox forbids it, all threads stay equal.
  }
}
