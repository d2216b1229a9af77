// The JavaScript side: npm's packages and the compiled TypeScript, each left alone while it is up to date.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { lastLines, run, runInView } from "../../packages/libtorch/setup/processes.mjs";
import { SetupError } from "../../packages/libtorch/setup/report.mjs";

/** onnxruntime-node's install script downloads GPU libraries and breaks where it cannot. */
const NPM_ENV = { ONNXRUNTIME_NODE_INSTALL: "skip" };

/**
 * Whether node_modules holds what package-lock.json asks for, by the record that npm itself leaves there at the
 * end of an installation. So an own `npm install` counts too, and an interrupted one does not.
 * @param {string} root
 */
export function packagesAreInstalled(root) {
  const record = join(root, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const wanted = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.optional) return true;
    return installed[path] !== undefined && installed[path].version === entry.version;
  });
}

/**
 * @param {string} root
 * @param {import("./report.mjs").Report} report
 */
export async function installNpmPackages(root, report) {
  report.note("Running npm ci: the packages of package-lock.json, into node_modules.");
  const { code, output } = await runInView(report, "npm", "npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    env: { ...process.env, ...NPM_ENV },
  });
  if (code === 0) return;
  // npm says what is wrong first, and explains its own options at length after it.
  const errors = output.split("\n").filter((line) => /^npm (error|ERR!) ./.test(line));
  throw new SetupError(`npm ci failed:\n${errors.slice(0, 12).join("\n") || lastLines(output, 12)}`, {
    commands: ["ONNXRUNTIME_NODE_INSTALL=skip npm ci", "node scripts/setup.mjs"],
  });
}

/**
 * Compiles the TypeScript packages and builds the pages, unless no source has changed since the last time.
 * @param {string} root
 * @returns {Promise<boolean>} whether there was something to do
 */
export async function compileTypeScript(root) {
  const stamp = join(root, "node_modules/.cache/set-up/typescript");
  const before = digestSources(root);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === before) return false;
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { code, output } = await run(process.execPath, [compiler, "--build"], { cwd: root });
  if (code !== 0) {
    throw new SetupError(`the TypeScript sources do not compile:\n${lastLines(output, 20)}`, {
      commands: ["npx tsc --build"],
    });
  }
  const bundling = await run(process.execPath, [join(root, "scripts/bundle.mjs")], { cwd: root });
  if (bundling.code !== 0) {
    throw new SetupError(`the compiled modules cannot be joined:\n${lastLines(bundling.output, 20)}`, {
      commands: ["npx tsc --build && node scripts/bundle.mjs"],
    });
  }
  await buildPages(root);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, digestSources(root));
  return true;
}

/** @param {string} root */
async function buildPages(root) {
  const folder = join(root, "packages/studio");
  const bundler = join(root, "node_modules/vite/bin/vite.js");
  for (const page of ["vite.config.ts", "vite.speech.config.ts"]) {
    const build = [bundler, "build", "--logLevel", "warn", "--config", page];
    const { code, output } = await run(process.execPath, build, { cwd: folder });
    if (code !== 0) {
      throw new SetupError(`the page of ${page} does not build:\n${lastLines(output, 20)}`, {
        commands: ["npm run build --workspace @wav2vec2/studio"],
      });
    }
  }
}

/** @param {string} root */
function digestSources(root) {
  const hash = createHash("sha256");
  const add = (/** @type {string} */ path) => {
    const status = statSync(path, { throwIfNoEntry: false });
    hash.update(`${path}\0${status?.mtimeMs}\0${status?.size}\0`);
  };
  add(join(root, "tsconfig.json"));
  add(join(root, "tsconfig.base.json"));
  add(join(root, "node_modules/typescript/package.json"));
  for (const name of readdirSync(join(root, "packages"))) {
    const folder = join(root, "packages", name);
    if (!existsSync(join(folder, "tsconfig.json"))) continue;
    add(join(folder, "tsconfig.json"));
    add(join(folder, "package.json"));
    for (const built of ["dist/.tsbuildinfo", "dist/index.html", "dist-speech/index.html"])
      add(join(folder, built));
    for (const file of ["index.html", "vite.config.ts", "vite.speech.config.ts"]) add(join(folder, file));
    for (const sources of ["public", "speech", "src"]) {
      if (!existsSync(join(folder, sources))) continue;
      for (const file of readdirSync(join(folder, sources), { recursive: true, encoding: "utf8" }).sort()) {
        if (/\.(tsx?|js|css|html|svg|json)$/.test(file)) add(join(folder, sources, file));
      }
    }
  }
  return hash.digest("hex");
}
