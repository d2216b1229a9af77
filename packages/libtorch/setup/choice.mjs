// Which libtorch a person asked for, now or on an earlier run.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { cudaChoice } from "./find-libtorch.mjs";

/** File among the libtorchs with the last --libtorch. */
const CHOICE = "choice";

/**
 * @param {string} home
 * @param {string | undefined} requested
 * @returns {string | undefined} "wheel", "cuda", "system" or a folder, chosen now or on an earlier run
 */
export function chosenByHand(home, requested) {
  if (requested === "auto") return undefined;
  if (requested === "wheel" || requested === "system" || cudaChoice(requested) !== undefined)
    return requested;
  if (requested !== undefined) return resolve(requested);
  if (process.env.LIBTORCH || process.env.LIBTORCH_USE_PYTORCH === "1") return undefined;
  const file = join(home, CHOICE);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * @param {string} home
 * @param {string | undefined} choice
 */
export function rememberChoice(home, choice) {
  if (choice === undefined) rmSync(join(home, CHOICE), { force: true });
  else writeFileSync(join(home, CHOICE), `${choice}\n`);
}
