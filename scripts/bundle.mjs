// Joins the compiled modules of the packages into a few files, packages/*/bundle/: hundreds of small ones take Node.js most of
// a second to find and load. The entries in dist/ then lead there, until TypeScript is compiled anew:
//   npx tsc --build && node scripts/bundle.mjs [FOLDER]
// bundle/ mirrors dist/: what starts a thread or looks for a file beside itself finds it at the same relative place.
// Packages that package.json does not list as dependencies are joined too, as far as they are used; their licences lie beside.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { minifySync } from "rolldown/utils";
import { licencesOf, packageOf } from "./bundling/licences.mjs";
import { isBundled, leadingTo, modulesOf, reached } from "./bundling/modules.mjs";

/** The folder of the packages. */
const [FOLDER = fileURLToPath(new URL("../packages", import.meta.url))] = process.argv.slice(2);
/** Modules that the same of these entries load become one file: whoever loads one of them loads nothing in vain. */
const PACKAGES = [
  {
    name: "libtorch",
    pages: ["./nearest", "./state-name"],
    entries: ["operators/numerics-check-main.js"],
    files: {
      parts: ["files/file-writes.js", "gpu/built-for.js"],
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

for (const { name, pages, entries, files } of PACKAGES)
  await bundle(join(FOLDER, name), pages, entries, files);

/**
 * @param {string} folder of a package, which is compiled
 * @param {string[]} pages exports that pages load too: left to their own bundlers, which know that they are no Node.js
 * @param {string[]} internal entries besides what the package exports
 * @param {Record<string, string[]>} together entries whose modules are to be few files, by a name for these
 */
async function bundle(folder, pages, internal, together) {
  const dist = join(folder, "dist");
  if (isBundled(dist)) return; // nothing was compiled since
  // Without it the next tsc --build writes every file, also the entries that lead on: what they lead to is never out of date.
  rmSync(join(dist, ".tsbuildinfo"), { force: true });
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const { exports } = manifest;
  const targets = Object.entries(exports).flatMap(([name, entry]) =>
    pages.includes(name) ? [] : [entry.default],
  );
  const exported = targets
    .filter((path) => path.startsWith("./dist/"))
    .map((path) => path.replace("./dist/", ""));
  const entries = [...exported, ...internal];
  const { imports, all, threads } = modulesOf(dist);
  const begun = [...reached(entries, (path) => [...all(path), ...threads(path)])].flatMap(threads);
  const external = (/** @type {string} */ id) => isExternal(id, manifest);
  /** Required packages that are joined, by the file that holds each. */
  const lazy = new Map();
  const withLazy = (/** @type {string} */ code) =>
    code.replaceAll(/\blazyPackage\("([^"]+)"\)/g, (call, /** @type {string} */ id) => {
      if (external(id)) return call;
      const file = `packages/${id.replace(/^@/, "").replaceAll("/", "-")}.cjs`;
      lazy.set(id, file);
      return `lazyPackage("./${file}")`;
    });
  const groups = groupsOf(Object.entries(together).map(([file, first]) => [file, reached(first, imports)]));
  const build = await rolldown({
    input: Object.fromEntries(
      [...entries, ...begun].map((path) => [path.replace(/\.js$/, ""), join(dist, path)]),
    ),
    external,
    platform: "node",
    checks: { ineffectiveDynamicImport: false },
    plugins: [
      {
        name: "places",
        transform: (code, id) =>
          id.startsWith(dist) ? withPlace(withLazy(code), relative(dist, id)) : undefined,
      },
    ],
  });
  const { output } = await build.generate({
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name]-[hash].js",
    codeSplitting: {
      groups: [
        ...groups.map(({ name, paths, priority }) => ({
          name,
          priority,
          test: (/** @type {string} */ id) => paths.has(relative(dist, id)),
        })),
        {
          debugName: "packages",
          name: (id) => packageOf(id)?.name.replace(/^@/, "").replace("/", "-"),
        },
      ],
    },
  });
  await build.close();
  const made = join(folder, "bundle.new");
  rmSync(made, { recursive: true, force: true });
  const files = [...output];
  for (const [id, file] of lazy) files.push(...(await required(id, file, folder, external)));
  for (const { fileName, code, moduleIds } of files) {
    const own = moduleIds.some((id) => id.startsWith(dist));
    const text = own ? placed(code, dirname(fileName)) : minifySync(fileName, code).code;
    write(join(made, fileName), inAscii(text));
  }
  const joined = files.flatMap(({ moduleIds }) => moduleIds);
  const licences = licencesOf(joined);
  if (licences !== "") write(join(made, "LICENCES.txt"), licences);
  rmSync(join(folder, "bundle"), { recursive: true, force: true });
  renameSync(made, join(folder, "bundle"));
  for (const entry of entries) {
    const bundled = relative(dirname(entry), join("../bundle", entry));
    write(join(dist, entry), leadingTo(bundled));
  }
}

/**
 * A package in one file that `require` takes.
 * @param {string} id
 * @param {string} file
 * @param {string} folder of the package that uses it
 * @param {(id: string) => boolean} external
 */
async function required(id, file, folder, external) {
  const build = await rolldown({ input: id, cwd: folder, external, platform: "node" });
  const { output } = await build.generate({
    format: "cjs",
    exports: "named",
    entryFileNames: file,
    codeSplitting: false,
  });
  await build.close();
  return output;
}

/**
 * @param {string} id as modules name another
 * @param {Record<string, Record<string, string>>} manifest package.json
 * @returns whether it is installed beside the package: what it lists as dependencies
 */
function isExternal(id, { dependencies, optionalDependencies, peerDependencies }) {
  const [, name] = /^((?:@[^/]+\/)?[^./#@][^/]*)(?:\/|$)/.exec(id) ?? [];
  if (name === undefined) return false; // a file
  return isBuiltin(id) || name in { ...dependencies, ...optionalDependencies, ...peerDependencies };
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

/** Node.js reads what is ASCII in half the memory, and sooner. */
function inAscii(/** @type {string} */ code) {
  return code.replaceAll(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** @param {string} path @param {string} text */
function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
