import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bridgePath } from "../../setup/places.mjs";
import { builtFor } from "./built-for.js";
import { librariesWithNamesakes } from "./own-libraries.js";

const folder = mkdtempSync(join(tmpdir(), "own-libraries-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (path: string, content = "") => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
};

describe("librariesWithNamesakes", () => {
  const site = join(folder, "site-packages");
  const torch = join(site, "torch");
  const own = (name: string) => join(site, "nvidia", name);
  for (const name of [
    "cudnn/lib/libcudnn_adv.so.9",
    "cudnn/lib/libcudnn_graph.so.9",
    "cu13/lib/libnvJitLink.so.13",
  ])
    write(own(name));
  write(own("cu13/include/cublas.h"));
  write(own("cu13/lib/libcudart_static.a"));

  it("names what the search path holds too, and what others need first", () => {
    const toolkit = join(folder, "toolkit");
    for (const name of ["libcudnn_adv.so.9", "libnvJitLink.so.13", "libcudnn_graph.so.9", "libother.so.1"])
      write(join(toolkit, name));
    write(join(toolkit, "libcudart_static.a"));
    expect(librariesWithNamesakes(torch, `/nowhere::${toolkit}`)).toEqual([
      own("cu13/lib/libnvJitLink.so.13"),
      own("cudnn/lib/libcudnn_graph.so.9"),
      own("cudnn/lib/libcudnn_adv.so.9"),
    ]);
  });

  it("names none where the search path has other names, another version, or these very folders", () => {
    const other = join(folder, "other");
    write(join(other, "libnvJitLink.so.12"));
    expect(librariesWithNamesakes(torch, other)).toEqual([]);
    expect(librariesWithNamesakes(torch, `${own("cudnn/lib")}:${own("cu13/lib")}`)).toEqual([]);
    expect(librariesWithNamesakes(join(folder, "elsewhere/torch"), other)).toEqual([]);
  });
});

const { root, cuda } = builtFor()!;

/** The paths of NVIDIA's libraries that a process holds once it has loaded the bridge. */
function loadedWith(searchPath: string, program: string): string[] {
  const maps = execFileSync(
    process.execPath,
    ["--input-type=module", "--eval", `${program}; console.log(fs.readFileSync("/proc/self/maps", "utf8"))`],
    { encoding: "utf8", env: { ...process.env, LD_LIBRARY_PATH: searchPath } },
  );
  const paths = maps.split("\n").flatMap((line) => /\s(\/.*\.so[.\d]*)$/.exec(line)?.[1] ?? []);
  return [...new Set(paths)];
}

describe.runIf(cuda)("a bridge with CUDA, another toolkit being in LD_LIBRARY_PATH", () => {
  const toolkit = join(folder, "cuda-of-another-version");
  const names: string[] = [];
  beforeAll(() => {
    const nvidia = join(root, "../nvidia");
    const all = readdirSync(nvidia).flatMap((name) => readdirSync(join(nvidia, name, "lib")));
    for (const stem of ["libnvJitLink", "libcublasLt", "libcudart", "libcudnn_graph"])
      names.push(all.find((file) => file.startsWith(`${stem}.so.`))!);
    mkdirSync(toolkit, { recursive: true });
    writeFileSync(join(toolkit, "empty.cpp"), "");
    for (const name of names) {
      const args = ["-shared", "-fPIC", `-Wl,-soname,${name}`, "empty.cpp", "-o", name];
      execFileSync(process.env.CXX ?? "c++", args, { cwd: toolkit });
    }
  });

  it("takes its own libraries, those that are opened at run time included", () => {
    const load = `import fs from "node:fs"; await import(${JSON.stringify(import.meta.resolve("../../dist/index.js"))})`;
    const loaded = loadedWith(toolkit, load);
    expect(loaded.filter((path) => path.startsWith(toolkit))).toEqual([]);
    for (const name of names) expect(loaded.filter((path) => path.endsWith(`/${name}`))).toHaveLength(1);
  });

  it("would find the others by its own search path, but not those that are opened at run time", () => {
    const addon = JSON.stringify(bridgePath());
    const open = (name: string) =>
      `try { process.dlopen({ exports: {} }, ${JSON.stringify(name)}, 0x1001) } catch {}`;
    const loaded = loadedWith(
      toolkit,
      `import fs from "node:fs"; process.dlopen({ exports: {} }, ${addon}); ${open(names[0]!)}`,
    );
    expect(loaded.filter((path) => path.startsWith(toolkit))).toEqual([join(toolkit, names[0]!)]);
  });
});
