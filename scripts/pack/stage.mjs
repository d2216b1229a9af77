// A package as npm gets it: of dist/ only what an installed one loads and what its types name, of package.json what users need.
import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isBundled, modulesOf, reached } from "../bundling/modules.mjs";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DIST = "dist/";
/** Entries that no export names. */
const STARTED = /\bdist\/([\w/-]+\.js)\b/g;

/**
 * @param {string} folder of a package
 * @param {string} into an absent directory
 * @param {object} [changes] of its package.json
 * @throws where the package is compiled but not bundled
 */
export function stagePackage(folder, into, changes = {}) {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const listed = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts", folder], {
    cwd: ROOT,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  /** @type {string[]} */
  const paths = JSON.parse(listed)[0].files.map((/** @type {{ path: string }} */ { path }) => path);
  const compiled = manifest.files.includes("bundle");
  const needed = compiled ? neededOf(folder, manifest, paths) : undefined;
  for (const path of paths)
    if (!needed || !path.startsWith(DIST) || needed.has(path.slice(DIST.length))) {
      mkdirSync(dirname(join(into, path)), { recursive: true });
      cpSync(join(folder, path), join(into, path));
    }
  writeFileSync(
    join(into, "package.json"),
    `${JSON.stringify({ ...published(manifest), ...changes }, null, 2)}\n`,
  );
  copyFileSync(join(ROOT, "LICENSE"), join(into, "LICENSE"));
}

/**
 * @param {string} folder
 * @param {Manifest} manifest
 * @param {string[]} paths all files of the package
 * @returns {Set<string>} the files of dist/ that an installed package needs
 */
function neededOf(folder, { exports }, paths) {
  const dist = join(folder, "dist");
  if (!isBundled(dist))
    throw new Error(`${folder} must be bundled to be packed, but is compiled only. Run 'npm run build'.`);
  const exported = Object.values(exports).flatMap((entry) => [entry.default, entry.types]);
  const started = paths
    .filter((path) => /^(bin|setup)\/.*js$/.test(path))
    .flatMap((path) => [...readFileSync(join(folder, path), "utf8").matchAll(STARTED)])
    .map(([, path]) => `./${DIST}${path}`);
  const entries = [...exported, ...started]
    .filter((path) => path?.startsWith(`./${DIST}`))
    .map((path) => path.slice(`./${DIST}`.length));
  const { all } = modulesOf(
    dist,
    readdirSync(join(folder, "src")).includes("platform") ? ["node", "web"] : [],
  );
  return reached(entries, all);
}

/** @typedef {{ exports: Record<string, Record<string, string>>, imports?: object }} Manifest */

/** Without what only a checkout has. @param {Record<string, unknown>} manifest */
function published({ devDependencies, scripts, files, ...manifest }) {
  return JSON.parse(JSON.stringify(manifest, (key, value) => (key === "source" ? undefined : value)));
}
