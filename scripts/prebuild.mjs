// Compiles the bridge for the package of this kind of machine, packages/libtorch-PLATFORM-ARCH: for set-up of installed
// packages, which takes it where it fits. Needs a checkout that was set up with torch's wheel for the CPU.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { cmakeOptions, digestOfSources } from "../packages/libtorch/setup/bridge.mjs";
import { places } from "../packages/libtorch/setup/places.mjs";
import { prebuiltPackage } from "../packages/libtorch/setup/prebuilt.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * @param {string} addon
 * @returns {string} the newest version of glibc of which it uses something
 */
function neededGlibc(addon) {
  const symbols = execFileSync("objdump", ["-T", addon], { encoding: "utf8" });
  const versions = [...symbols.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
    Number(major),
    Number(minor),
  ]);
  const newest = versions.sort(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d).at(-1);
  if (newest === undefined) throw new Error(`${addon} must use glibc, but names none of its versions.`);
  return newest.join(".");
}

function main() {
  const { native, build: own, headers } = places();
  const libtorch = JSON.parse(readFileSync(join(own, "libtorch.json"), "utf8"));
  if (libtorch.cuda !== undefined || libtorch.source !== "set-up") {
    throw new Error(
      `libtorch must be the wheel's for the CPU, but is ${libtorch.version} in ${libtorch.root}. Run 'npm run setup -- --libtorch wheel'.`,
    );
  }
  const folder = join(ROOT, "packages", basename(prebuiltPackage()));
  if (!existsSync(folder))
    throw new Error(`${folder} must be a package for this kind of machine, but does not exist.`);
  const build = mkdtempSync(join(tmpdir(), "bridge-"));
  try {
    const options = [
      ...["-S", native, "-B", build, "-DCMAKE_BUILD_TYPE=Release", "-DBRIDGE_RPATH=$ORIGIN/lib"],
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
    copyFileSync(addon, join(folder, "libtorch_bridge.node"));
    writeFileSync(join(folder, "prebuilt.json"), `${JSON.stringify(description, null, 2)}\n`);
    process.stdout.write(
      `${relative(process.cwd(), folder)}: for libtorch ${description.libtorch}, glibc ${description.glibc}\n`,
    );
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

main();
