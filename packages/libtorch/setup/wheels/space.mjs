// Whether there is room for a download, known before it begins.
import { statfsSync } from "node:fs";
import { otherCacheCommands } from "../places.mjs";
import { megabytes, SetupError } from "../report.mjs";

/**
 * @param {string} folder
 * @param {number} needed bytes
 * @param {string[]} commands what to do instead
 */
export function checkSpace(folder, needed, commands = []) {
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= needed) return;
  throw new SetupError(
    `libtorch needs ${megabytes(needed)} in ${folder}, but only ${megabytes(bavail * bsize)} are free. Make room and run set-up again.`,
    { commands: [...commands, ...otherCacheCommands()] },
  );
}

/** @param {number[]} values */
export function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
