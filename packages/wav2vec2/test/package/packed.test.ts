import { execFile } from "node:child_process";
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packPackages } from "../../../../scripts/pack.mjs";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { Random } from "../../src/data/random.js";
import { toneClip } from "../fixtures/tone-corpus.js";

// What npm gets, and what a project has of it: how much it is, whether it is whole, and whether other tools can read it.

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const run = promisify(execFile);
const NAMES = ["libtorch", "studio", "wav2vec2"];
/** MB; without the compiled bridge. */
const MOST = 35;

interface Manifest {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  [other: string]: unknown;
}

let directory: string;
let tarballs: string[];
let project: string;
const installed = (name: string) => join(project, "node_modules", name);
const manifestOf = (name: string) =>
  JSON.parse(readFileSync(join(installed(name), "package.json"), "utf8")) as Manifest;
const node = (...args: string[]) =>
  run(process.execPath, args, { cwd: project, env: { PATH: process.env.PATH, HOME: directory } });

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "packed-"));
  tarballs = packPackages(directory, { bridges: [] });
  project = join(directory, "project");
  mkdirSync(project);
  await writeFile(join(project, "package.json"), '{ "name": "app", "private": true }');
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], { cwd: project });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("an installed package", () => {
  it("is small: packages that are used in part are in the bundle", () => {
    const blocks = (path: string): number => {
      const { blocks: own } = lstatSync(path);
      return lstatSync(path).isDirectory()
        ? readdirSync(path).reduce((sum, name) => sum + blocks(join(path, name)), own)
        : own;
    };
    expect((blocks(join(project, "node_modules")) * 512) / 2 ** 20).toBeLessThan(MOST);
    const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
    const names = Object.keys(packages).map((path) => path.replace(/.*node_modules\//, ""));
    for (const name of ["echarts", "zrender", "@huggingface/hub", "zod", "commander", "bintrees"])
      expect(names).not.toContain(name);
  });

  it("brings the licences of what is in the bundle", () => {
    const licences = readFileSync(join(installed("wav2vec2"), "bundle/LICENCES.txt"), "utf8");
    for (const name of [
      "@huggingface/hub",
      "commander",
      "csv-parse",
      "echarts",
      "prom-client",
      "zod",
      "zrender",
    ])
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(`, "m"));
    expect(licences).toContain("Apache ECharts\nCopyright"); // its NOTICE
    for (const name of ["wav2vec2", "@wav2vec2/libtorch", "@wav2vec2/studio"])
      expect(readFileSync(join(installed(name), "LICENSE"), "utf8")).toContain("Apache License");
  });

  it.each(["wav2vec2", "@wav2vec2/libtorch"])(
    "%s imports nothing that it does not depend on",
    async (name) => {
      const { dependencies, optionalDependencies, peerDependencies } = manifestOf(name);
      const known = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
      const bundle = join(installed(name), "bundle");
      const files = readdirSync(bundle, { recursive: true, encoding: "utf8" }).filter((file) =>
        /\.c?js$/.test(file),
      );
      const wanted = new Set<string>();
      const note = (id: string) => {
        const [, other] = /^((?:@[^/]+\/)?[^./#@][^/]*)(?:\/|$)/.exec(id) ?? [];
        if (other !== undefined && !isBuiltin(id)) wanted.add(other);
        return other !== undefined;
      };
      const joined = await rolldown({
        input: files.map((file) => join(bundle, file)),
        external: note,
        platform: "node",
        logLevel: "silent",
      });
      await joined.generate();
      await joined.close();
      for (const file of files)
        for (const [, id] of readFileSync(join(bundle, file), "utf8").matchAll(/\blazyPackage\("([^"]+)"\)/g))
          note(id!);
      expect(wanted.size).toBeGreaterThan(name === "wav2vec2" ? 10 : 0);
      expect([...wanted].filter((other) => !known.includes(other))).toEqual([]);
    },
  );

  it("has of its compiled modules those that something names", () => {
    const files = readdirSync(join(installed("wav2vec2"), "dist"), { recursive: true, encoding: "utf8" });
    expect(files).toContain("training/recipe/recipe-types.d.ts");
    // A page's files are of this type.
    expect(files.filter((file) => /^(cli|serve|http)\/.*\.d\.ts$/.test(file))).toEqual([
      "http/page-file.d.ts",
    ]);
    expect(files.filter((file) => /^training\/.*\.js$/.test(file))).toEqual([]);
    expect(files.filter((file) => file.endsWith(".map"))).toEqual([]);
    expect(manifestOf("wav2vec2").devDependencies).toBeUndefined();
    expect(JSON.stringify(manifestOf("wav2vec2"))).not.toContain("./src/");
  });

  it("draws with the part of ECharts that it has", async () => {
    const corpus = join(project, "corpus");
    mkdirSync(corpus);
    await writeFile(join(corpus, "a.flac"), encodeFlac(toneClip("ABC", new Random(1, "clip")), 16000));
    await writeFile(join(corpus, "a.txt"), "A B C\n");
    await node("node_modules/.bin/wav2vec2", "data", "stats", "corpus", "--svg", "stats.svg");
    expect(readFileSync(join(project, "stats.svg"), "utf8")).toMatch(/^<svg[\s\S]*Durations/);
  });

  it("says what a PNG needs where the package that draws it has no build", async () => {
    const resvg = installed("@resvg");
    renameSync(resvg, `${resvg}-away`);
    try {
      const drawn = node("node_modules/.bin/wav2vec2", "data", "stats", "corpus", "--png", "stats.png");
      await expect(drawn).rejects.toThrow(
        "A PNG must be drawn by @resvg/resvg-js, but that cannot be loaded.",
      );
    } finally {
      renameSync(`${resvg}-away`, resvg);
    }
  });

  it("reads recipes and tables", async () => {
    await writeFile(join(project, "table.csv"), 'audio,text\n"corpus/a.flac","A B C"\n');
    const { stdout } = await node("node_modules/.bin/wav2vec2", "data", "stats", "table.csv", "--json");
    expect(JSON.parse(stdout)).toMatchObject([{ utterances: 1 }]);
    const code = `import { resolveRecipe } from "wav2vec2"; resolveRecipe({ data: { root: "." }, seeed: 1 });`;
    await expect(node("--input-type=module", "--eval", code)).rejects.toThrow("Did you mean 'seed'?");
  });

  it("is loaded by require too", async () => {
    await writeFile(
      join(project, "app.cjs"),
      `const { resolveRecipe } = require("wav2vec2");
       const { loadRecognizer } = require("wav2vec2/recognition");
       console.log(resolveRecipe({ data: { root: "." } }).task, typeof loadRecognizer);`,
    );
    expect((await node("--no-warnings", "app.cjs")).stdout).toBe("finetune function\n");
  });

  it("has types that strict compilers take without the packages in the bundle", async () => {
    await writeFile(
      join(project, "app.mts"),
      `import { tensor } from "@wav2vec2/libtorch";
       import { type Recipe, resolveRecipe } from "wav2vec2";
       import { loadRecognizer } from "wav2vec2/recognition";
       import type * as transforms from "wav2vec2/transforms";

       const recipe: Recipe = resolveRecipe({ data: { root: "." }, tracking: "wandb" });
       export const rate: number = recipe.optimizer.learning_rate;
       export const steps: number | undefined = recipe.max_steps;
       // @ts-expect-error a key that is none
       resolveRecipe({ data: { root: "." }, optimiser: {} });
       // @ts-expect-error a number, no text
       recipe.seed.toUpperCase();
       export const all: [typeof tensor, typeof loadRecognizer, typeof transforms] | undefined = undefined;`,
    );
    const options =
      "--noEmit --strict --skipLibCheck false --module nodenext --target es2023 --lib es2023,esnext.disposable";
    const types = ["--types", "node", "--typeRoots", join(ROOT, "node_modules/@types")];
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const { stdout } = await node(compiler, ...options.split(" "), ...types, "app.mts").catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe("");
  });
});

describe.each(NAMES)("the tarball of %s", (name) => {
  const file = () =>
    tarballs.find(
      (path) => /wav2vec2-(?:(\w+)-)?\d/.exec(path)?.[1] === (name === "wav2vec2" ? undefined : name),
    )!;

  it("has nothing that publint remarks on", async () => {
    const tarball = new Uint8Array(readFileSync(file())).buffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    expect(messages).toEqual([]);
  });

  it.skipIf(name === "studio")("resolves to its types for modules and bundlers", async () => {
    const manifest = createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json");
    const attw = join(manifest, "..", "dist/index.js");
    expect(existsSync(attw)).toBe(true);
    const { stdout } = await node(
      attw,
      "--profile",
      "esm-only",
      "--format",
      "ascii",
      "--no-color",
      "--no-emoji",
      file(),
    );
    expect(stdout).toContain("(ESM)");
  });
});
