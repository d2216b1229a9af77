// Compiles the bridge into a package of its own, prebuilt/linux-ARCH: for set-up of installed packages, which takes it where
// it fits. Needs a checkout that was set up with torch's wheel for the CPU.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { cmakeOptions, digestOfSources } from "../packages/libtorch/setup/bridge.mjs";
import { places } from "../packages/libtorch/setup/places.mjs";
import { neededGlibc } from "./prebuild/needed-glibc.mjs";
import { PREBUILT, PROCESSORS, writePackage } from "./prebuild/package.mjs";
import { describeTarget } from "./prebuild/target.mjs";

const USAGE = `usage: node scripts/prebuild.mjs [--arch ${Object.keys(PROCESSORS).join("|")}]
For another processor it needs that one's compiler, such as Debian's g++-aarch64-linux-gnu, and fetches libtorch for it.
`;

/** @param {import("./prebuild/package.mjs").Arch} arch */
async function prebuild(arch) {
  const { native, headers, ...own } = places();
  const { libtorch, toolchain } = await describeTarget(arch, own);
  const folder = join(PREBUILT, `linux-${arch}`);
  const build = mkdtempSync(join(tmpdir(), "bridge-"));
  try {
    const options = [
      ...["-S", native, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DBRIDGE_RPATH=$ORIGIN/lib"],
      ...toolchain,
      ...[
        "-DCMAKE_UNITY_BUILD=ON",
        "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0",
        "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",
      ],
      // Gloo's headers belong to the system, and users have none: the declarations that the wheel's library keeps to.
      ...["-DOWN_GLOO_DECLARATIONS=ON", "-DCMAKE_SHARED_LINKER_FLAGS=-s", "-DCMAKE_MODULE_LINKER_FLAGS=-s"],
      ...cmakeOptions(libtorch, headers),
    ];
    execFileSync("cmake", options, { stdio: ["ignore", "ignore", "inherit"] });
    execFileSync("cmake", ["--build", build], { stdio: ["ignore", "ignore", "inherit"] });
    const addon = join(build, "libtorch_bridge.node");
    const description = {
      libtorch: libtorch.version.replace(/\+.*$/, ""),
      glibc: neededGlibc(addon),
      sources: digestOfSources(native),
    };
    writePackage(folder, arch, addon, description);
    process.stdout.write(
      `${relative(process.cwd(), folder)}: for libtorch ${description.libtorch}, glibc ${description.glibc}\n`,
    );
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

/** @returns {import("./prebuild/package.mjs").Arch} */
function chosenArch() {
  const { values } = parseArgs({ options: { arch: { type: "string" } } });
  const arch = values.arch ?? process.arch;
  if (process.platform !== "linux" || !(arch in PROCESSORS)) {
    throw new Error(
      `Bridges are compiled on Linux for ${Object.keys(PROCESSORS).join(" and ")}, but this is ${process.platform} and ${arch}.`,
    );
  }
  return /** @type {import("./prebuild/package.mjs").Arch} */ (arch);
}

try {
  await prebuild(chosenArch());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n${USAGE}`);
  process.exitCode = 1;
}
