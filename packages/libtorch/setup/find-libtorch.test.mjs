import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test, vi } from "vitest";
import { findLibtorch, inspect } from "./find-libtorch.mjs";
import { temporaryFolder } from "./fixtures.mjs";

const SUFFIX = process.platform === "darwin" ? "dylib" : "so";

/**
 * @param {string} path
 * @param {string} [content]
 */
function write(path, content = "") {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/**
 * @param {string} root
 * @param {string} version
 * @param {string} [lib]
 */
function makeLibtorch(root, version, lib = "lib") {
  const header = "include/torch/csrc/api/include/torch/version.h";
  write(join(root, header), `#define TORCH_VERSION_MAJOR 9\n#define TORCH_VERSION \\\n  "${version}"\n`);
  write(join(root, lib, `libtorch_cpu.${SUFFIX}`));
}

function makePlaces() {
  const folder = temporaryFolder();
  /** @type {string[]} */
  const notes = [];
  return {
    folder,
    notes,
    env: /** @type {NodeJS.ProcessEnv} */ ({ PATH: "" }),
    home: join(folder, ".libtorch"),
    system: join(folder, "usr"),
    note: (/** @type {string} */ text) => notes.push(text),
  };
}

test("LIBTORCH, the active Python, set-up's own, the system: the first that is there wins", async () => {
  const places = makePlaces();
  const find = async () => {
    const found = await findLibtorch(undefined, places);
    return found && [found.source, found.version];
  };
  expect(await find()).toBeUndefined();
  makeLibtorch(places.system, "1.13.1");
  expect((await find())?.[0]).toBe("system");
  makeLibtorch(join(places.home, "2.9.1"), "2.9.1");
  makeLibtorch(join(places.home, "2.15.0"), "2.15.0");
  mkdirSync(join(places.home, "2.16.0"));
  expect(await find()).toEqual(["set-up", "2.15.0"]);
  makeLibtorch(join(places.folder, "venv/lib/python3.12/site-packages/torch"), "2.14.0");
  places.env.VIRTUAL_ENV = join(places.folder, "venv");
  expect(await find()).toEqual(["python", "2.14.0"]);
  makeLibtorch(join(places.folder, "own"), "2.6.0");
  places.env.LIBTORCH = join(places.folder, "own");
  expect(await find()).toEqual(["LIBTORCH", "2.6.0"]);
});

test("a choice by hand looks there only", async () => {
  const places = makePlaces();
  makeLibtorch(places.system, "1.13.1");
  expect(await findLibtorch("wheel", places)).toBeUndefined();
  makeLibtorch(join(places.home, "2.15.0"), "2.15.0");
  expect(await findLibtorch("wheel", places)).toMatchObject({
    source: "set-up",
    why: "--libtorch wheel asks for it",
  });
  expect(await findLibtorch("system", places)).toMatchObject({ source: "system" });
  expect(await findLibtorch(join(places.home, "2.15.0"), places)).toMatchObject({ source: "LIBTORCH" });
});

test("a place that the user named must hold libtorch", async () => {
  const places = makePlaces();
  places.env.LIBTORCH = join(places.folder, "nowhere");
  await expect(findLibtorch(undefined, places)).rejects.toThrow(
    /LIBTORCH=.*nowhere must be a folder .*does not exist/,
  );
  await expect(findLibtorch("/nowhere", places)).rejects.toThrow(/--libtorch \/nowhere must be/);
  places.env = { PATH: "", LIBTORCH_USE_PYTORCH: "1" };
  await expect(findLibtorch(undefined, places)).rejects.toThrow(
    /LIBTORCH_USE_PYTORCH=1 .*no python3 can import torch/,
  );
});

test("an active Python without a usable torch is passed over, with a word about an old one", async () => {
  const places = makePlaces();
  places.env.CONDA_PREFIX = join(places.folder, "conda");
  makeLibtorch(places.system, "2.6.0");
  expect((await findLibtorch(undefined, places))?.source).toBe("system");
  expect(places.notes).toEqual([]);
  makeLibtorch(join(places.folder, "conda/lib/python3.8/site-packages/torch"), "1.9.0");
  expect((await findLibtorch(undefined, places))?.source).toBe("system");
  expect(places.notes.join()).toMatch(/its version is 1\.9\.0 and must be 1\.13 or newer/);
});

test("the version comes from version.py, build-version, the library's name or either header", () => {
  const root = temporaryFolder();
  const header = "include/torch/csrc/api/include/torch/version.h";
  write(join(root, header), "#include <torch/headeronly/version.h>\n");
  write(join(root, "include/torch/headeronly/version.h"), '#define TORCH_VERSION \\\n  "2.15.0"\n');
  const multiarch = process.arch === "arm64" ? "lib/aarch64-linux-gnu" : "lib/x86_64-linux-gnu";
  write(join(root, multiarch, `libtorch_cpu.${SUFFIX}`));
  expect(inspect(root)).toMatchObject({ version: "2.15.0", lib: join(root, multiarch) });
  write(join(root, "lib64/libtorch_cpu.so.2.6.1"));
  symlinkSync("../lib64/libtorch_cpu.so.2.6.1", join(root, "lib", `libtorch_cpu.${SUFFIX}`));
  expect(inspect(root)).toMatchObject({ version: "2.6.1", lib: join(root, "lib") });
  write(join(root, "build-version"), "2.7.0+cpu\n");
  expect(inspect(root)).toMatchObject({ version: "2.7.0+cpu" });
  write(join(root, "version.py"), "from typing import Optional\n__version__ = '2.8.0+cu132'\n");
  expect(inspect(root)).toMatchObject({ version: "2.8.0+cu132" });
});

test("with CUDA is what was asked for, or what fits a machine with a card", async () => {
  const places = makePlaces();
  const cuda = (/** @type {string} */ version) => {
    const root = join(places.home, `${version.split("+")[0]}-cuda/torch`);
    makeLibtorch(root, version);
    write(join(root, "lib/libtorch_cuda.so"));
    return root;
  };
  expect(await findLibtorch("cuda", places)).toBeUndefined();
  makeLibtorch(join(places.home, "2.15.0"), "2.15.0");
  cuda("2.10.0+cu128");
  const newest = cuda("2.15.0+cu132");
  const only = makePlaces();
  expect((await findLibtorch(undefined, places))?.root).toBe(join(places.home, "2.15.0"));
  const withCard = { ...places, hasGpu: async () => true };
  expect(await findLibtorch(undefined, withCard)).toMatchObject({ root: newest, cuda: { version: "13.2" } });
  expect((await findLibtorch("wheel", withCard))?.root).toBe(join(places.home, "2.15.0"));
  expect((await findLibtorch("cuda", places))?.root).toBe(newest);
  expect((await findLibtorch("cuda==2.10.0", places))?.cuda?.version).toBe("12.8");
  expect(await findLibtorch("cuda==2.6.0", places)).toBeUndefined();
  // Where nothing else is there, one with CUDA computes on the CPU.
  makeLibtorch(join(only.home, "2.15.0-cuda/torch"), "2.15.0+cu132");
  expect((await findLibtorch(undefined, only))?.version).toBe("2.15.0+cu132");
});

test("whether there is a card is asked only where the answer chooses", async () => {
  const places = makePlaces();
  const hasGpu = vi.fn(async () => true);
  const found = async (/** @type {string | undefined} */ choice) =>
    (await findLibtorch(choice, { ...places, hasGpu }))?.version;
  makeLibtorch(join(places.home, "2.15.0-cuda/torch"), "2.15.0+cu132");
  expect([await found("cuda"), await found(undefined)]).toEqual(["2.15.0+cu132", "2.15.0+cu132"]);
  expect(hasGpu).not.toHaveBeenCalled();
  makeLibtorch(join(places.home, "2.15.0"), "2.15.0");
  expect([await found("cuda"), await found("wheel")]).toEqual(["2.15.0+cu132", "2.15.0"]);
  expect(hasGpu).not.toHaveBeenCalled();
  expect(await found(undefined)).toBe("2.15.0+cu132");
  expect(hasGpu).toHaveBeenCalledOnce();
});
