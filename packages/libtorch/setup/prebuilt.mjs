// A bridge that comes compiled, in a package for this kind of machine: it spares the user a compiler.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { digestOfSources } from "./bridge.mjs";
import { systemGlibc } from "./glibc.mjs";
import { compareReleases, parseVersion } from "./wheels/versions.mjs";

/**
 * @typedef {object} Prebuilt
 * @property {string} addon
 * @property {string} libtorch version that it was compiled against; libtorch promises no compatibility between versions
 * @property {string} glibc oldest C library that has what it uses
 * @property {string} sources digest of the bridge's sources that it was made of
 */

/** @returns {string} name of the package for this kind of machine */
export function prebuiltPackage(platform = process.platform, arch = process.arch) {
  return `@wav2vec2/libtorch-${platform}-${arch}`;
}

/**
 * @param {{ native: string, from?: string, glibc?: string | undefined }} options native: the bridge's sources; from: the
 *   file whose neighbours are looked through; glibc: this system's, undefined for another C library
 * @returns {Prebuilt | { reason: string }} the reason why none can be used, to follow "No compiled bridge fits:"
 */
export function findPrebuilt({ native, from = import.meta.url, glibc = systemGlibc() }) {
  const name = prebuiltPackage();
  let folder;
  try {
    folder = dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return { reason: `${name} is not installed` };
  }
  const addon = join(folder, "libtorch_bridge.node");
  if (!existsSync(addon)) return { reason: `${addon} does not exist` };
  /** @type {Omit<Prebuilt, "addon">} */
  const made = JSON.parse(readFileSync(join(folder, "prebuilt.json"), "utf8"));
  if (made.sources !== digestOfSources(native)) return { reason: `${name} was made of other sources` };
  const [here, needed] = [parseVersion(glibc ?? ""), parseVersion(made.glibc)];
  if (here === undefined || needed === undefined || compareReleases(here.release, needed.release) < 0) {
    return { reason: `it needs glibc ${made.glibc}, and this system has ${glibc ?? "another C library"}` };
  }
  return { addon, ...made };
}

/**
 * @param {Prebuilt | { reason: string }} prebuilt
 * @param {import("./find-libtorch.mjs").Libtorch} libtorch
 * @returns {string | undefined} why it does not go with this libtorch
 */
export function prebuiltProblem(prebuilt, { version, cuda }) {
  if ("reason" in prebuilt) return prebuilt.reason;
  if (cuda !== undefined) return "it is for libtorch without CUDA";
  const plain = (/** @type {string} */ text) => text.replace(/\+.*$/, "");
  if (plain(version) !== plain(prebuilt.libtorch)) return `it is for libtorch ${prebuilt.libtorch}`;
  return undefined;
}
