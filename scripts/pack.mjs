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
 * @param {string[]} [bridges] folders of packages with compiled bridges
 * @returns {string[]} the tarballs
 */
export function packPackages(into, bridges = writtenPackages()) {
  mkdirSync(into, { recursive: true });
  const staging = mkdtempSync(join(tmpdir(), "packages-"));
  try {
    const folders = PACKAGES.map((name) => join(ROOT, "packages", name)).map((folder) =>
      basename(folder) === "libtorch" ? withBridges(folder, bridges, join(staging, "libtorch")) : folder,
    );
    return pack(into, [...folders, ...bridges]);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/**
 * A copy of the package that asks for its compiled bridges. A checkout does not: npm would refuse it on every other system.
 * @param {string} folder
 * @param {string[]} bridges
 * @param {string} copy
 */
function withBridges(folder, bridges, copy) {
  const manifest = readManifest(folder);
  const names = bridges.map((bridge) => readManifest(bridge)).map(({ name, version }) => [name, version]);
  mkdirSync(copy);
  for (const name of [
    "README.md",
    ...manifest.files.filter((/** @type {string} */ file) => /^\w+$/.test(file)),
  ]) {
    cpSync(join(folder, name), join(copy, name), { recursive: true });
  }
  const text = { ...manifest, optionalDependencies: Object.fromEntries(names) };
  writeFileSync(join(copy, "package.json"), `${JSON.stringify(text, null, 2)}\n`);
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
