import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";

// What the start of a program waits for: which files and packages it loads.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);

/** Tells each module that Node.js loads; packages that are loaded by `require` are in the cache of that. */
const HOOKS = `
import { appendFileSync } from "node:fs";
export async function load(url, context, next) {
  if (url.startsWith("file:")) appendFileSync(process.env.LOADED, url + "\\n");
  return next(url, context);
}`;
const REGISTER = `
import { appendFileSync } from "node:fs";
import { createRequire, register } from "node:module";
register("./hooks.mjs", import.meta.url);
process.on("exit", () => {
  for (const path of Object.keys(createRequire(import.meta.url).cache)) appendFileSync(process.env.LOADED, path + "\\n");
});`;

let root: string;
let wav2vec2: string;

// A copy, so that the checkout's own files stay as they are.
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "start-up-"));
  await linkPackages(join(ROOT, "node_modules"), join(root, "node_modules"));
  for (const name of ["libtorch", "wav2vec2"])
    for (const part of ["package.json", "bin", "dist", "bundle", "setup"])
      await copyCode(join(ROOT, "packages", name, part), join(root, "packages", name, part));
  await symlink("../packages/wav2vec2", join(root, "node_modules/wav2vec2"));
  await symlink("../../packages/libtorch", join(root, "node_modules/@wav2vec2/libtorch"));
  await run(process.execPath, [join(ROOT, "scripts/bundle.mjs"), join(root, "packages")]);
  await writeFile(join(root, "hooks.mjs"), HOOKS);
  await writeFile(join(root, "register.mjs"), REGISTER);
  wav2vec2 = join(root, "packages/wav2vec2");
}, 60_000);

afterAll(() => rm(root, { recursive: true, force: true }));

/** What Node.js reads of a file or directory, where there is one. */
async function copyCode(from: string, to: string): Promise<void> {
  if (!existsSync(from)) return;
  const filter = async (path: string) => !/\.(ts|map)$/.test(path);
  await cp(from, to, { recursive: true, filter });
}

/** All packages but those of the workspace. */
async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(join(to, "@wav2vec2"), { recursive: true });
  for (const name of await readdir(from))
    if (name !== "wav2vec2" && name !== "@wav2vec2") await symlink(join(from, name), join(to, name));
}

/** The project's own files and the other packages that a program of Node.js loads. */
async function loaded(
  args: readonly string[],
): Promise<{ files: string[]; packages: string[]; output: string }> {
  const list = join(root, `loaded-${args.length}-${Math.random()}`);
  const { stdout } = await run(process.execPath, ["--import", join(root, "register.mjs"), ...args], {
    cwd: wav2vec2,
    env: { ...process.env, LOADED: list },
  });
  const paths = new Set(
    (await readFile(list, "utf8")).split("\n").map((line) => line.replace("file://", "")),
  );
  const files: string[] = [];
  const packages = new Set<string>();
  for (const path of paths) {
    const [, name] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? [];
    if (name !== undefined) packages.add(name);
    else if (path.includes("/packages/")) files.push(path);
  }
  return { files, packages: [...packages].sort(), output: stdout };
}

const evaluating = (code: string) => ["--input-type=module", "--eval", code];

it("prints help out of a handful of files", async () => {
  const { files, packages, output } = await loaded(["bin/wav2vec2.js", "--help"]);
  expect(output).toContain("transcribe");
  expect(packages).toEqual([]);
  expect(files.length).toBeLessThanOrEqual(12);
});

it.each([
  ["wav2vec2", 24],
  ["wav2vec2/recognition", 24],
  ["@wav2vec2/libtorch", 8],
])("loads %s out of a few files, and no package", async (name, most) => {
  const { files, packages } = await loaded(evaluating(`import ${JSON.stringify(name)};`));
  expect(packages).toEqual([]);
  expect(files.length).toBeGreaterThan(1);
  expect(files.length).toBeLessThanOrEqual(most);
});

/** The rooms whose modules a program loads, and the files that hold packages. */
async function roomsOf(name: string): Promise<Set<string>> {
  const { files } = await loaded(evaluating(`import ${JSON.stringify(name)};`));
  const rooms = new Set<string>();
  for (const file of files) {
    const modules = (await readFile(file, "utf8")).matchAll(/^\/\/ \S*\/wav2vec2\/dist\/(\S+)\.js$/gm);
    for (const [, module] of modules) rooms.add(module!.split("/")[0]!);
    if (/\b(echarts|huggingface|hub-listing|zod|prom-client|commander)\b/.test(file)) rooms.add(file);
  }
  return rooms;
}

it("recognises without what trains, draws, reports or serves", async () => {
  const rooms = await roomsOf("wav2vec2/recognition");
  const others = ["training", "tracking", "evaluation", "pages", "serve", "page", "cli", "distributed"];
  expect(rooms).toContain("recognition");
  expect(others.filter((room) => rooms.has(room))).toEqual([]);
  expect([...rooms].filter((room) => room.includes("/"))).toEqual([]);
  const all = await roomsOf("wav2vec2");
  expect(others.filter((room) => all.has(room))).toContain("training");
});

it("is one library, whichever entry it is taken from, and finds what lies beside its files", async () => {
  const { output } = await loaded(
    evaluating(`
      import { existsSync } from "node:fs";
      import * as all from "wav2vec2";
      import * as recognition from "wav2vec2/recognition";
      import * as transforms from "wav2vec2/transforms";
      const same = [...Object.entries(recognition), ...Object.entries(transforms)];
      console.log(same.filter(([name, value]) => name in all && all[name] !== value).map(([name]) => name).join());
      const recipe = all.resolveRecipe({ data: { root: "speech" } });
      console.log(recipe.task, existsSync("bundle/data/batches/batch-worker.js"));`),
  );
  expect(output).toBe("\nfinetune true\n");
});

it("leaves the next tsc --build to write every file anew", async () => {
  const entry = join(wav2vec2, "dist/index.js");
  expect(await readFile(entry, "utf8")).toContain("../bundle/index.js");
  // Without this record tsc writes every file anew.
  expect(await readdir(dirname(entry))).not.toContain(".tsbuildinfo");
});
