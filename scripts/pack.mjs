// The packages as npm gets them: tarballs in packed/, to install in any project until they are published, and by
// release.mjs to publish. Needs a checkout that was set up; `npm run prebuild-bridge` before adds the compiled bridge.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writtenPackages } from "./prebuild/package.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
export const PACKAGES = ["libtorch", "studio", "wav2vec2"];

/**
 * @param {string} into
 * @param {{ bridges?: string[], forNpm?: boolean }} [options] bridges: folders of packages with compiled bridges; forNpm: each
 *   bridge says for which machines it is, so that npm installs the one that fits. Tarballs that are all named at once say
 *   nothing, because npm refuses what is named and does not fit
 * @returns {string[]} the tarballs
 */
export function packPackages(into, { bridges = writtenPackages(), forNpm = false } = {}) {
  mkdirSync(into, { recursive: true });
  const staging = mkdtempSync(join(tmpdir(), "packages-"));
  try {
    const versions = bridges.map(readManifest).map(({ name, version }) => [name, version]);
    const folders = PACKAGES.map((name) => join(ROOT, "packages", name)).map((folder) =>
      // A checkout names no bridges: npm would look for them.
      basename(folder) === "libtorch"
        ? changed(folder, join(staging, "libtorch"), { optionalDependencies: Object.fromEntries(versions) })
        : folder,
    );
    const anywhere = { os: undefined, cpu: undefined, libc: undefined };
    const added = bridges.map((bridge) =>
      forNpm ? bridge : changed(bridge, join(staging, basename(bridge)), anywhere),
    );
    return pack(into, [...folders, ...added]);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder of a package
 * @param {string} copy
 * @param {object} changes of its package.json
 * @returns {string} the copy, with what is packed of it
 */
function changed(folder, copy, changes) {
  const manifest = readManifest(folder);
  mkdirSync(copy);
  const names = manifest.files.filter((/** @type {string} */ name) => /^[\w.]+$/.test(name));
  for (const name of ["README.md", ...names]) {
    cpSync(join(folder, name), join(copy, name), { recursive: true });
  }
  writeFileSync(join(copy, "package.json"), `${JSON.stringify({ ...manifest, ...changes }, null, 2)}\n`);
  return copy;
}

/** @param {string} folder */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
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
  for (const file of packPackages(into)) process.stdout.write(`${relative(process.cwd(), file)}\n`);
}
