// The npm package that a compiled bridge travels in: one for each kind of machine, alike but for its name.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prebuiltPackage } from "../../packages/libtorch/setup/prebuilt.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Where the packages are made, a folder each. */
export const PREBUILT = join(ROOT, "prebuilt");

/** The processors for which there can be one, as people name them; only Linux has prebuilt bridges. */
export const PROCESSORS = { x64: "x86-64", arm64: "64-bit Arm" };
/** @typedef {keyof typeof PROCESSORS} Arch as Node.js names them */

/**
 * @param {string} folder that becomes the package; what was in it is lost
 * @param {Arch} arch
 * @param {string} addon the compiled bridge
 * @param {Omit<import("../../packages/libtorch/setup/prebuilt.mjs").Prebuilt, "addon">} prebuilt what it goes with
 */
export function writePackage(folder, arch, addon, prebuilt) {
  const name = prebuiltPackage("linux", arch);
  const { version } = JSON.parse(readFileSync(join(ROOT, "packages/libtorch/package.json"), "utf8"));
  const system = `Linux on ${PROCESSORS[arch]} with glibc ${prebuilt.glibc} or newer`;
  const manifest = {
    name,
    version,
    description: `The compiled bridge of @wav2vec2/libtorch for ${system}.`,
    license: "Apache-2.0",
    os: ["linux"],
    cpu: [arch],
    libc: ["glibc"],
    files: ["libtorch_bridge.node", "prebuilt.json"],
  };
  const readme = `# ${name}

The native bridge of @wav2vec2/libtorch, compiled for ${system}, for libtorch ${prebuilt.libtorch}.
npm installs it where it fits, and \`npx wav2vec2 setup\` takes it instead of compiling.
`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(addon, join(folder, "libtorch_bridge.node"));
  writeJson(join(folder, "prebuilt.json"), prebuilt);
  writeJson(join(folder, "package.json"), manifest);
  writeFileSync(join(folder, "README.md"), readme);
}

/** @returns {string[]} the folders of the packages that were made */
export function writtenPackages() {
  return existsSync(PREBUILT) ? readdirSync(PREBUILT).map((name) => join(PREBUILT, name)) : [];
}

/**
 * @param {string} file
 * @param {object} value
 */
function writeJson(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}
