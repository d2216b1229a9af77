// The packages as npm gets them: tarballs in packed/, to install in any project until they are published, and by
// release.mjs to publish. Needs a checkout that was set up; `npm run prebuild-bridge` before adds the compiled bridge.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stagePackage } from "./pack/stage.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const PACKAGES = ["libtorch", "libtorch-linux-x64", "studio", "wav2vec2"];

/**
 * @param {string} into
 * @param {string[]} folders of packages; without the compiled bridge where there is none
 * @returns {string[]} the tarballs
 * @throws where a package is not built
 */
export function packPackages(into, folders = builtPackages()) {
  mkdirSync(into, { recursive: true });
  const stages = mkdtempSync(join(tmpdir(), "pack-"));
  try {
    const staged = folders.map((folder) => join(stages, basename(folder)));
    for (const [index, folder] of folders.entries()) stagePackage(folder, staged[index] ?? "");
    const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", into, ...staged];
    const output = execFileSync("npm", args, {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    return JSON.parse(output).map((/** @type {{ filename: string }} */ { filename }) => join(into, filename));
  } finally {
    rmSync(stages, { recursive: true, force: true });
  }
}

function builtPackages() {
  return PACKAGES.map((name) => join(ROOT, "packages", name)).filter(
    (folder) => !basename(folder).startsWith("libtorch-") || existsSync(join(folder, "libtorch_bridge.node")),
  );
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const into = resolve(process.argv[2] ?? join(ROOT, "packed"));
  rmSync(into, { recursive: true, force: true });
  execFileSync(process.execPath, [join(ROOT, "scripts/bundle.mjs")], { stdio: "inherit" });
  for (const file of packPackages(into)) process.stdout.write(`${relative(process.cwd(), file)}\n`);
}
