// The packages as npm gets them: tarballs in packed/, to install in any project until they are published, and by
// release.mjs to publish. Needs a checkout that was set up; `npm run prebuild-bridge` before adds the compiled bridge.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const PACKAGES = ["libtorch", "libtorch-linux-x64", "studio", "wav2vec2"];

/**
 * @param {string} into
 * @returns {string[]} the tarballs; without the compiled bridge where there is none
 */
export function packPackages(into) {
  const built = PACKAGES.filter((name) => {
    const folder = join(ROOT, "packages", name);
    return !name.startsWith("libtorch-") || existsSync(join(folder, "libtorch_bridge.node"));
  });
  mkdirSync(into, { recursive: true });
  const folders = built.map((name) => join(ROOT, "packages", name));
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", into, ...folders];
  const output = execFileSync("npm", args, {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(output).map((/** @type {{ filename: string }} */ { filename }) => join(into, filename));
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const into = resolve(process.argv[2] ?? join(ROOT, "packed"));
  rmSync(into, { recursive: true, force: true });
  for (const file of packPackages(into)) process.stdout.write(`${relative(process.cwd(), file)}\n`);
}
