// With which glibc a compiled bridge loads.
import { execFileSync } from "node:child_process";
import { compareReleases } from "../../packages/libtorch/setup/wheels/versions.mjs";
import { OLDEST_GLIBC } from "./target.mjs";

/**
 * @param {string} addon
 * @returns {string} the newest version of glibc of which it uses something
 * @throws where that is newer than what the compiled bridge must load with
 */
export function neededGlibc(addon) {
  const symbols = execFileSync("readelf", ["--wide", "--dyn-syms", addon], { encoding: "utf8" });
  const versions = [...symbols.matchAll(/@GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  const newest = versions.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d).at(-1);
  if (newest === undefined) throw new Error(`${addon} must use glibc, but names none of its versions.`);
  if (compareReleases(newest, OLDEST_GLIBC.split(".").map(Number)) > 0) {
    const version = `GLIBC_${newest.join(".")}`;
    const late = symbols
      .split("\n")
      .flatMap((line) => (line.includes(`@${version}`) ? line.trim().split(/\s+/).at(-2) : []));
    throw new Error(
      `The bridge must load with glibc ${OLDEST_GLIBC}, but uses ${late.join(", ")} of ${newest.join(".")}. See native/src/machine/older-glibc.cpp.`,
    );
  }
  return newest.join(".");
}
