#!/usr/bin/env node
// The bridge as machines of other sizes build it: set-up puts as many sources into a unit as the machine has cores for,
// so a source that leans on its neighbour's includes compiles on some machines only. Nothing is built: the compiler reads
// each unit, without precompiled headers, which would hide what a source does not include.
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bridge, cmakeOptions } from "../scripts/setup/bridge.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SHOWN = 4000;

/**
 * What is wrong with the sources where they are compiled in such units.
 *
 * @param {string[]} options for CMake
 * @returns {Promise<string | undefined>}
 */
async function faultsOf(options) {
  const folder = mkdtempSync(join(tmpdir(), "native-units-"));
  try {
    const { description, headers } = new Bridge(ROOT);
    const given = [...cmakeOptions(JSON.parse(readFileSync(description, "utf8")), headers), ...options];
    const fixed = [
      "-DCMAKE_BUILD_TYPE=Debug",
      "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",
      "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
    ];
    const args = ["-S", join(ROOT, "packages/libtorch/native"), "-B", folder, ...fixed, ...given];
    const configured = spawnSync("cmake", args, { encoding: "utf8" });
    if (configured.status !== 0) return `${configured.stdout}${configured.stderr}`;
    const units = JSON.parse(readFileSync(join(folder, "compile_commands.json"), "utf8"));
    /** @type {string[]} */
    const faults = [];
    const next = async () => {
      for (let unit = units.pop(); unit && faults.length === 0; unit = units.pop()) {
        const fault = await readUnit(unit);
        if (fault !== undefined) faults.push(fault);
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, next));
    return faults[0];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {{ command: string, directory: string, file: string }} unit */
function readUnit({ command, directory, file }) {
  return new Promise((resolve) => {
    execFile("sh", ["-c", `${command} -fsyntax-only`], { cwd: directory }, (error, _, stderr) =>
      resolve(error ? `${file}:\n${stderr}` : undefined),
    );
  });
}

for (const options of [
  ["-DCMAKE_UNITY_BUILD=OFF", "-DOWN_GLOO_DECLARATIONS=ON"],
  ["-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=2"],
]) {
  const fault = await faultsOf(options);
  if (fault === undefined) continue;
  process.stdout.write(
    `${fault.slice(0, SHOWN)}\nThe bridge must build with ${options.join(" ")}, but does not. Include in each source what it uses.\n`,
  );
  process.exit(1);
}
process.stdout.write("The bridge compiles a source at a time, and in units of two.\n");
