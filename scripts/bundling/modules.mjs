// Which compiled modules load which.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** An entry in dist/ whose modules are joined. @param {string} bundled its path there */
export const leadingTo = (bundled) => `export * from "${bundled}";\n`;

const LEADS_ON = /^export \* from "(\.\.\/)+bundle\//;

/** How modules name what Node.js and pages have each in their own way. */
const PLATFORM = "#platform/";

/** @param {string} dist of a package @returns whether its entries lead to the bundle: nothing was compiled since */
export function isBundled(dist) {
  return LEADS_ON.test(readFileSync(join(dist, "index.js"), "utf8"));
}

/**
 * What modules load, by their paths from `dist`.
 * @param {string} dist
 * @param {string[]} platforms
 */
export function modulesOf(dist, platforms = ["node"]) {
  /** @param {string} path @param {RegExp} pattern */
  const found = (path, pattern) =>
    [...readFileSync(join(dist, path), "utf8").matchAll(pattern)]
      .map((match) => match[1] ?? match[2] ?? "")
      .flatMap((name) =>
        name.startsWith(PLATFORM)
          ? platforms.map((platform) => `platform/${platform}/${name.slice(PLATFORM.length)}.js`)
          : [join(dirname(path), name)],
      )
      .map((name) => (path.endsWith(".d.ts") ? name.replace(/\.js$/, ".d.ts") : name))
      .filter((name) => existsSync(join(dist, name))); // not those of comments
  const imports = (/** @type {string} */ path) =>
    found(path, /^(?:import|export)\b[^;]*?\bfrom "([.#][^"]+)";$|^import "(\.[^"]+)";$/gm);
  const all = (/** @type {string} */ path) => [
    ...imports(path),
    ...found(path, /\bimport\("([.#][^"]+)"\)/g),
  ];
  /** Modules that begin a thread, or are loaded by one, by their URL. */
  const threads = (/** @type {string} */ path) =>
    found(path, /new URL\("(\.[^"]+\.js)", import\.meta\.url\)/g).filter((name) => !name.startsWith(".."));
  return { imports, all, threads };
}

/**
 * @param {string[]} entries
 * @param {(path: string) => string[]} next
 * @returns {Set<string>} the entries and what they lead to
 */
export function reached(entries, next) {
  const seen = new Set(entries);
  for (const path of seen) for (const name of next(path)) seen.add(name);
  return seen;
}
