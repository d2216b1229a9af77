// Joins the compiled modules of the packages into a few files, packages/*/bundle/: hundreds of small ones take Node.js most of
// a second to find and load. The entries in dist/ then lead there, until TypeScript is compiled anew:
//   npx tsc --build && node scripts/bundle.mjs [FOLDER]
// bundle/ mirrors dist/: what starts a thread or looks for a file beside itself finds it at the same relative place.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

/** The folder of the packages. */
const [FOLDER = fileURLToPath(new URL("../packages", import.meta.url))] = process.argv.slice(2);
/** How modules name what Node.js and pages have each in their own way. */
const PLATFORM = "#platform/";
const LEADS_ON = 'export * from "';
/** Modules that the same of these entries load become one file: whoever loads one of them loads nothing in vain. */
const PACKAGES = [
  {
    name: "libtorch",
    pages: ["./nearest", "./state-name"],
    files: {
      parts: ["file-writes.js", "gpu/built-for.js"],
      libtorch: ["index.js"],
    },
  },
  {
    name: "wav2vec2",
    pages: ["./web"],
    entries: ["cli/program.js"],
    files: { program: ["cli/program.js"], recognition: ["recognition/index.js"], library: ["index.js"] },
  },
];

for (const { name, pages, entries = [], files } of PACKAGES)
  await bundle(join(FOLDER, name), pages, entries, files);

/**
 * @param {string} folder of a package, which is compiled
 * @param {string[]} pages exports that pages load too: left to their own bundlers, which know that they are no Node.js
 * @param {string[]} internal entries besides what the package exports
 * @param {Record<string, string[]>} files entries whose modules are to be few files, by a name for these
 */
async function bundle(folder, pages, internal, files) {
  const dist = join(folder, "dist");
  if (readFileSync(join(dist, "index.js"), "utf8").startsWith(LEADS_ON)) return; // nothing was compiled since
  // Without it the next tsc --build writes every file, also the entries that lead on: what they lead to is never out of date.
  rmSync(join(dist, ".tsbuildinfo"), { force: true });
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const targets = Object.entries(exports).flatMap(([name, entry]) =>
    pages.includes(name) ? [] : [entry.default],
  );
  const exported = targets
    .filter((path) => path.startsWith("./dist/"))
    .map((path) => path.replace("./dist/", ""));
  const entries = [...exported, ...internal];
  const { imports, all, threads } = modulesOf(dist);
  const begun = [...reached(entries, (path) => [...all(path), ...threads(path)])].flatMap(threads);
  const groups = groupsOf(Object.entries(files).map(([file, first]) => [file, reached(first, imports)]));
  const build = await rolldown({
    input: Object.fromEntries(
      [...entries, ...begun].map((path) => [path.replace(/\.js$/, ""), join(dist, path)]),
    ),
    external: /^[^./#]/,
    platform: "node",
    checks: { ineffectiveDynamicImport: false },
    plugins: [{ name: "places", transform: (code, id) => withPlace(code, relative(dist, id)) }],
  });
  const { output } = await build.generate({
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: {
      groups: groups.map(({ name, paths, priority }) => ({
        name,
        priority,
        test: (id) => paths.has(relative(dist, id)),
      })),
    },
  });
  await build.close();
  const made = join(folder, "bundle.new");
  rmSync(made, { recursive: true, force: true });
  for (const { fileName, code } of output) write(join(made, fileName), placed(code, dirname(fileName)));
  rmSync(join(folder, "bundle"), { recursive: true, force: true });
  renameSync(made, join(folder, "bundle"));
  for (const entry of entries) {
    const bundled = relative(dirname(entry), join("../bundle", entry));
    write(join(dist, entry), `${LEADS_ON}${bundled}";\n`);
  }
}

/**
 * What modules load, by their paths from `dist`.
 * @param {string} dist
 */
function modulesOf(dist) {
  /** @param {string} path @param {RegExp} pattern */
  const found = (path, pattern) =>
    [...readFileSync(join(dist, path), "utf8").matchAll(pattern)]
      .map(([, name = ""]) =>
        name.startsWith(PLATFORM)
          ? `platform/node/${name.slice(PLATFORM.length)}.js`
          : join(dirname(path), name),
      )
      .filter((name) => existsSync(join(dist, name))); // not those of comments
  const imports = (/** @type {string} */ path) =>
    found(path, /^(?:import|export)\b[^;]*?\bfrom "([.#][^"]+)";$|^import "(\.[^"]+)";$/gm);
  const all = (/** @type {string} */ path) => [...imports(path), ...found(path, /\bimport\("(\.[^"]+)"\)/g)];
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
function reached(entries, next) {
  const seen = new Set(entries);
  for (const path of seen) for (const name of next(path)) seen.add(name);
  return seen;
}

/**
 * Divides modules by which sets hold them.
 * @param {[name: string, paths: Set<string>][]} sets
 * @returns {{ name: string, paths: Set<string>, priority: number }[]} those of more sets, on which others stand, first
 */
function groupsOf(sets) {
  const groups = new Map();
  for (const path of new Set(sets.flatMap(([, paths]) => [...paths]))) {
    const names = sets.filter(([, paths]) => paths.has(path)).map(([name]) => name);
    const name = names.join("-");
    const group = groups.get(name) ?? { name, paths: new Set(), priority: names.length };
    group.paths.add(path);
    groups.set(name, group);
  }
  return [...groups.values()];
}

/** Leaves in a module, in place of its own address, the path that it has: which file it comes to lie in is not known yet. */
function withPlace(/** @type {string} */ code, /** @type {string} */ path) {
  return code.replaceAll("import.meta.url", `__PLACE__(${JSON.stringify(path)})`);
}

/** The address that a module would have, were it a file of its own in the bundle. */
function placed(/** @type {string} */ code, /** @type {string} */ folder) {
  return code.replaceAll(/__PLACE__\("([^"]+)"\)/g, (_, path) => {
    const from = relative(folder, path);
    return `new URL(${JSON.stringify(from)}, import.meta.url).href`;
  });
}

/** @param {string} path @param {string} text */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
