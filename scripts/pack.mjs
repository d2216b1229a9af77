// The packages as npm gets them: tarballs in packed/, to install in any project until they are published, and by
// release.mjs to publish. Needs a checkout that was set up; `npm run prebuild-bridge` before adds the compiled bridge.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { stagePackage } from "./pack/stage.mjs";
import { writtenPackages } from "./prebuild/package.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const PACKAGES = ["libtorch", "studio", "wav2vec2"];
/** For machines of any kind. */
const ANYWHERE = { os: undefined, cpu: undefined, libc: undefined };

/**
 * @param {string} into
 * @param {{ bridges?: string[], forNpm?: boolean }} [options] bridges: folders of packages with compiled bridges; forNpm: each
 *   bridge says for which machines it is, so that npm installs the one that fits. Tarballs that are all named at once say
 *   nothing, because npm refuses what is named and does not fit
 * @returns {string[]} the tarballs
 * @throws where a package is not built
 */
export function packPackages(into, { bridges = writtenPackages(), forNpm = false } = {}) {
  mkdirSync(into, { recursive: true });
  const stages = mkdtempSync(join(tmpdir(), "pack-"));
  const stage = (/** @type {string} */ folder, changes = {}) => {
    const staged = join(stages, basename(folder));
    stagePackage(folder, staged, changes);
    return staged;
  };
  try {
    // A checkout names no bridges: npm would look for them.
    const optionalDependencies = Object.fromEntries(bridges.map(nameAndVersion));
    const packages = PACKAGES.map((name) =>
      stage(join(ROOT, "packages", name), name === "libtorch" ? { optionalDependencies } : {}),
    );
    return pack(into, [...packages, ...bridges.map((bridge) => stage(bridge, forNpm ? {} : ANYWHERE))]);
  } finally {
    rmSync(stages, { recursive: true, force: true });
  }
}

/** @param {string} folder of a package */
function nameAndVersion(folder) {
  const { name, version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [name, version];
}

/**
 * @param {string} into
 * @param {string[]} folders
 * @returns {string[]}
 */
function pack(into, folders) {
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
  execFileSync(process.execPath, [join(ROOT, "scripts/bundle.mjs")], { stdio: "inherit" });
  for (const file of packPackages(into)) process.stdout.write(`${relative(process.cwd(), file)}\n`);
}
