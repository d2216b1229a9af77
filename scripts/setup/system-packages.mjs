// Packages of the operating system: what the build needs, and Debian's libtorch where no wheel can be had.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { lastLines, run, which } from "./processes.mjs";
import { SetupError } from "./report.mjs";

/** @typedef {{ name: string, why: string }} Package */

/**
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Package[]} Debian packages of the tools that are missing
 */
export function missingBuildTools(env = process.env) {
  /** @type {Package[]} */
  const missing = [];
  if (which("cmake") === undefined) missing.push({ name: "cmake", why: "configures the bridge's build" });
  if (!env.CXX && ["c++", "g++", "clang++"].every((program) => which(program) === undefined)) {
    missing.push({ name: "g++", why: "compiles the bridge" });
  }
  if (which("make") === undefined && which("ninja") === undefined) {
    missing.push({ name: "make", why: "runs the compiler" });
  }
  return missing;
}

/** @returns {Package[]} what is worth having but not needed to build and run on one process */
export function missingOptionalPackages() {
  if (process.platform !== "linux") return [];
  return hasGloo() ? [] : [{ name: "libgloo-dev", why: "Gloo's headers, for training on several processes" }];
}

export function hasGloo() {
  return existsSync("/usr/include/gloo/context.h") || existsSync("/usr/local/include/gloo/context.h");
}

/** Debian's libtorch with a BLAS that is not the slow reference one, which a plain install would take. */
export const SYSTEM_LIBTORCH = [
  { name: "libtorch-dev", why: "libtorch of the distribution" },
  { name: "libopenblas0-openmp", why: "matrix products for it, on all cores" },
];

/** @returns {Package[]} OpenBLAS where Debian's libtorch would use the reference BLAS, many times slower */
export function missingBlas() {
  const folders = ["x86_64", "aarch64"].map((machine) => `/usr/lib/${machine}-linux-gnu`);
  const blas = folders.map((folder) => join(folder, "libblas.so.3")).find((path) => existsSync(path));
  const reference = blas !== undefined && /\/blas\/libblas\.so/.test(realpathSync(blas));
  return reference ? SYSTEM_LIBTORCH.slice(1) : [];
}

/**
 * Installs Debian or Ubuntu packages, with sudo where it asks for no password.
 * @param {Package[]} packages
 * @param {{ report: import("./report.mjs").Report, log: string }} options
 * @throws {SetupError} with the commands for this system
 */
export async function installPackages(packages, { report, log }) {
  const names = packages.map(({ name }) => name);
  for (const { name, why } of packages) report.note(`Installing the system package ${name}: ${why}.`);
  const commands = [
    `Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(" ")}`,
    "macOS:           xcode-select --install && brew install cmake libomp",
    "then:            node scripts/setup.mjs",
  ];
  if (which("apt-get") === undefined) {
    throw new SetupError(`These packages are missing and there is no apt-get: ${names.join(", ")}.`, {
      commands,
    });
  }
  const prefix = await rootPrefix();
  if (prefix === undefined) {
    throw new SetupError(
      `These packages are missing, and installing them needs root, which sudo does not give without a password: ${names.join(", ")}.`,
      { commands },
    );
  }
  const apt = (/** @type {string[]} */ ...args) =>
    run(prefix[0] ?? "apt-get", [...prefix.slice(1), ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      log,
      onLine: (line) => report.progress(`apt-get: ${line}`),
    });
  // Someone else's apt (unattended upgrades) may hold the lock for a while.
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  const install = ["install", "--yes", "--no-install-recommends", ...wait, ...names];
  const fresh = !hasPackageLists();
  if (fresh) await apt("update", ...wait);
  let result = await apt(...install);
  if (result.code !== 0 && !fresh) {
    report.note("Installing failed; refreshing the package lists and trying again.");
    await apt("update", ...wait);
    result = await apt(...install);
  }
  if (result.code !== 0) {
    throw new SetupError(
      `apt-get cannot install ${names.join(", ")} (the whole output is in ${log}):\n${lastLines(result.output, 8)}`,
      { commands },
    );
  }
}

/** @returns {Promise<string[] | undefined>} the words to start apt-get with; undefined where root is out of reach */
async function rootPrefix() {
  if (process.getuid?.() === 0) return ["apt-get"];
  if (which("sudo") === undefined || (await run("sudo", ["-n", "true"])).code !== 0) return undefined;
  // sudo drops the environment, and with it DEBIAN_FRONTEND.
  return ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"];
}

function hasPackageLists() {
  const folder = "/var/lib/apt/lists";
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes("_Packages"));
}
