// One set-up at a time: two would build in the same folder.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits for the lock and holds it while the action runs. A lock whose process is gone counts as free.
 * @template T
 * @param {string} file
 * @param {(text: string) => void} waiting called while another process holds it
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function withLock(file, waiting, action) {
  mkdirSync(dirname(file), { recursive: true });
  while (!take(file)) {
    const owner = readOwner(file);
    if (owner === undefined ? isFresh(file) : isRunning(owner)) {
      waiting(`Waiting for another set-up (process ${owner ?? "unknown"}, by ${file}).`);
      await sleep(250);
    } else {
      rmSync(file, { force: true });
    }
  }
  try {
    return await action();
  } finally {
    rmSync(file, { force: true });
  }
}

/** @param {string} file */
function take(file) {
  try {
    writeFileSync(file, `${process.pid}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/** @param {string} file */
function readOwner(file) {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file without an owner
 * @returns {boolean} whether its owner may still be about to write its name
 */
function isFresh(file) {
  const made = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  return made !== undefined && Date.now() - made < 5000;
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "EPERM";
  }
}
