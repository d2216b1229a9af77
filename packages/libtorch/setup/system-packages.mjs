// Packages of the operating system: what the build needs, and Debian's libtorch where no wheel can be had.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setupCommand } from "./places.mjs";
import { lastLines, run, runInView, which } from "./processes.mjs";
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
  if (which("make") === undefined && !env.CMAKE_GENERATOR) {
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

/** Debian's and Ubuntu's libtorch. */
export const SYSTEM_LIBTORCH = { name: "libtorch-dev", why: "libtorch of the distribution" };

const BLAS = { name: "libopenblas0-openmp", why: "matrix products 25 times as fast as the reference BLAS's" };

/** @returns {Package[]} OpenBLAS where the system's libtorch has only the reference BLAS, as it does by default */
export function missingBlas() {
  const folders = ["x86_64", "aarch64"].map((machine) => `/usr/lib/${machine}-linux-gnu`);
  const blas = folders.map((folder) => join(folder, "libblas.so.3")).find((path) => existsSync(path));
  return blas !== undefined && /\/blas\/libblas\.so/.test(realpathSync(blas)) ? [BLAS] : [];
}

/**
 * Installs Debian or Ubuntu packages, with sudo where it asks for no password.
 * @param {Package[]} required
 * @param {Package[]} optional what set-up goes on without, saying so, where it cannot be installed
 * @param {{ report: import("./report.mjs").Report, log: string }} options
 * @throws {SetupError} with the commands for this system
 */
export async function installPackages(required, optional, { report, log }) {
  for (const { name, why } of [...required, ...optional]) {
    report.note(`Installing the system package ${name}: ${why}.`);
  }
  try {
    await aptInstall([...required, ...optional], report, log);
  } catch (error) {
    if (!(error instanceof SetupError) || optional.length === 0) throw error;
    if (required.length > 0) await aptInstall(required, report, log);
    report.note(`Going on without ${optional.map(({ name }) => name).join(", ")}. ${error.message}`);
    for (const command of error.commands) report.note(command);
  }
}

/**
 * @param {Package[]} packages
 * @param {import("./report.mjs").Report} report
 * @param {string} log
 */
async function aptInstall(packages, report, log) {
  const names = packages.map(({ name }) => name);
  const commands = [
    `Debian, Ubuntu:  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(" ")}`,
    "macOS:           xcode-select --install && brew install cmake",
    `then:            ${setupCommand()}`,
  ];
  if (which("apt-get") === undefined) {
    throw new SetupError(`There is no apt-get to install ${names.join(", ")} with.`, { commands });
  }
  const prefix = await rootPrefix();
  if (prefix === undefined) {
    throw new SetupError(`Installing ${names.join(", ")} needs root, which sudo does not give unasked.`, {
      commands,
    });
  }
  const apt = (/** @type {string[]} */ ...args) =>
    runInView(report, "apt-get", prefix[0] ?? "apt-get", [...prefix.slice(1), ...args], {
      // In English, since its words are read below.
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
      log,
    });
  // Someone else's apt (unattended upgrades) may hold the lock for a while.
  const wait = ["-o", "DPkg::Lock::Timeout=300"];
  const install = ["install", "--yes", "--no-install-recommends", ...wait, ...names];
  const fresh = !hasPackageLists();
  let update = fresh ? await apt("update", ...wait) : undefined;
  let result = await apt(...install);
  if (result.code !== 0 && !fresh) {
    report.note("Installing failed; refreshing the package lists and trying again.");
    update = await apt("update", ...wait);
    // Where no server answered, installing would wait for each package in vain.
    if (/^(Get|Hit):\d/m.test(update.output)) result = await apt(...install);
  }
  if (result.code !== 0) {
    // Lists that could not be refreshed are only warned of, and are the likeliest cause.
    const complaints = `${update?.output ?? ""}\n${result.output}`
      .split("\n")
      .filter((line) => /^[EW]:/.test(line));
    const shown = complaints.slice(-8).join("\n") || lastLines(result.output, 8);
    throw new SetupError(
      `apt-get cannot install ${names.join(", ")} (the whole output is in ${log}):\n${shown}`,
      { commands },
    );
  }
}

/** @returns {Promise<string[] | undefined>} the words to start apt-get with; undefined where root is out of reach */
async function rootPrefix() {
  if (process.getuid?.() === 0) return ["apt-get"];
  if (which("sudo") === undefined || (await run("sudo", ["-n", "true"])).code !== 0) return undefined;
  // sudo drops the environment.
  return ["sudo", "-n", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get"];
}

function hasPackageLists() {
  const folder = "/var/lib/apt/lists";
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes("_Packages"));
}
