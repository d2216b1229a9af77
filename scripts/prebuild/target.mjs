// What a bridge is compiled against and with: this checkout's libtorch and compiler, or those for another processor.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "../../packages/libtorch/setup/find-libtorch.mjs";
import { which } from "../../packages/libtorch/setup/processes.mjs";
import { Report } from "../../packages/libtorch/setup/report.mjs";
import { installTorchWheel } from "../../packages/libtorch/setup/wheels/torch-wheel.mjs";
import { describePlatform } from "../../packages/libtorch/setup/wheels/versions.mjs";

/** @typedef {import("./package.mjs").Arch} Arch */
/** @typedef {{ libtorch: { include: string, lib: string, version: string }, toolchain: string[] }} Target
 *   toolchain: what CMake is told of the compiler */

/** By the processor, as the compilers of Debian and Ubuntu name it. */
const MACHINES = { x64: "x86_64", arm64: "aarch64" };
/** The oldest C library that torch's wheels run with, and Node.js 20. */
export const OLDEST_GLIBC = "2.28";

/**
 * @param {Arch} arch
 * @param {Pick<import("../../packages/libtorch/setup/places.mjs").Places, "home" | "build">} places
 * @returns {Promise<Target>}
 */
export async function describeTarget(arch, { home, build }) {
  const libtorch = JSON.parse(readFileSync(join(build, "libtorch.json"), "utf8"));
  if (libtorch.cuda !== undefined || libtorch.source !== "set-up") {
    throw new Error(
      `libtorch must be the wheel's for the CPU, but is ${libtorch.version} in ${libtorch.root}. Run 'npm run setup -- --libtorch wheel'.`,
    );
  }
  if (arch === process.arch) return { libtorch, toolchain: [] };
  const machine = MACHINES[arch];
  const compiler = which(`${machine}-linux-gnu-g++`);
  if (compiler === undefined) {
    throw new Error(
      `${machine}-linux-gnu-g++ must be installed to compile for ${arch}, but is not. Run 'apt-get install g++-${machine.replace("_", "-")}-linux-gnu'.`,
    );
  }
  return {
    libtorch: await fetchLibtorch(arch, home, libtorch.version.replace(/\+.*$/, "")),
    toolchain: [
      "-DCMAKE_SYSTEM_NAME=Linux",
      `-DCMAKE_SYSTEM_PROCESSOR=${machine}`,
      `-DCMAKE_CXX_COMPILER=${compiler}`,
    ],
  };
}

/**
 * @param {Arch} arch
 * @param {string} home
 * @param {string} version the one that this checkout has: all compiled bridges of a release go with one
 */
async function fetchLibtorch(arch, home, version) {
  const report = new Report(1);
  report.step(`libtorch ${version} for ${arch}`);
  const root = await installTorchWheel({
    home: join(home, `linux-${arch}`),
    report,
    specifier: `==${version}`,
    platform: describePlatform({ platform: "linux", arch, osRelease: "", glibc: OLDEST_GLIBC }),
  });
  const found = inspect(root);
  if (typeof found === "string") throw new Error(`${root} must be a libtorch, but ${found}.`);
  return found;
}
