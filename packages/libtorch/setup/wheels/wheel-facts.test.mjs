import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { namedHeaders } from "../../scripts/wheel-facts.mjs";
import { isWanted } from "./cpu-libraries.mjs";
import { chooseWheel } from "./package-index.mjs";
import { describePlatform } from "./versions.mjs";

// What set-up would do on systems on which no test runs, told from what PyPI's index and torch's wheels really hold.

/** @typedef {{ filename: string, libraries: string[], headers: string[], loads: Record<string, string[]> }} Facts */
/** @type {{ files: string[], wheels: Record<string, Facts> }} */
const FACTS = JSON.parse(readFileSync(new URL("wheel-facts.json", import.meta.url), "utf8"));
const FILES = FACTS.files.map((filename) => ({
  filename,
  url: new URL(`https://index.example/${filename}`),
  sha256: undefined,
  yanked: false,
}));

/** @param {{ platform: string, arch: string, osRelease?: string, glibc?: string }} system */
function choice({ platform, arch, osRelease = "", glibc }) {
  const described = describePlatform({ platform, arch, osRelease, glibc });
  return described && chooseWheel(FILES, described)?.filename;
}
/** @param {string} name */
const facts = (name) => /** @type {Facts} */ (FACTS.wheels[name]);
const [MACOS_26, MACOS_14, MACOS_13] = ["25.1.0", "23.6.0", "22.6.0"];

test("the wheel of each system that set-up knows", () => {
  const mac = facts("darwin-arm64").filename;
  expect(choice({ platform: "darwin", arch: "arm64", osRelease: MACOS_26 })).toBe(mac);
  expect(choice({ platform: "darwin", arch: "arm64", osRelease: MACOS_14 })).toBe(mac);
  expect(choice({ platform: "linux", arch: "arm64", glibc: "2.36" })).toBe(facts("linux-arm64").filename);
  expect(choice({ platform: "linux", arch: "x64", glibc: "2.28" })).toBe(facts("linux-x64").filename);
});

test("older systems and Macs with Intel's processors get the last wheel that was made for them", () => {
  const older = choice({ platform: "darwin", arch: "arm64", osRelease: MACOS_13 });
  expect(older).toMatch(/^torch-2\.\d+\.\d+-cp3.*macosx_11_0_arm64\.whl$/);
  expect(choice({ platform: "darwin", arch: "x64", osRelease: MACOS_14 })).toMatch(
    /^torch-2\.2\.2-.*_x86_64\.whl$/,
  );
  expect(choice({ platform: "linux", arch: "x64", glibc: "2.17" })).toMatch(
    /^torch-2\.\d+\.\d+-.*x86_64\.whl$/,
  );
  expect(choice({ platform: "linux", arch: "x64" })).toBeUndefined();
  expect(choice({ platform: "linux", arch: "riscv64", glibc: "2.39" })).toBeUndefined();
});

test("of macOS's wheel come the CPU's libraries, and each finds the others beside itself", () => {
  const { libraries, loads } = facts("darwin-arm64");
  const wanted = libraries.filter(isWanted);
  const names = wanted.map((name) => basename(name));
  expect(names).toEqual(expect.arrayContaining(["libc10.dylib", "libtorch_cpu.dylib"]));
  expect(names.join()).not.toMatch(/python|libshm/);
  for (const library of wanted) {
    for (const loaded of loads[library] ?? []) {
      if (/^(\/usr\/lib|\/System)\//.test(loaded) || loaded.startsWith("rpath @loader_path")) continue;
      expect(loaded).toMatch(/^@(loader_path|rpath)\//);
      expect(names).toContain(basename(loaded));
    }
  }
  expect(loads["torch/lib/libtorch_cpu.dylib"]).toContain("@loader_path/libomp.dylib");
});

test("of Linux's wheels come the two libraries where the others begin", () => {
  for (const name of ["linux-x64", "linux-arm64"]) {
    expect(facts(name).libraries.filter(isWanted)).toEqual([
      "torch/lib/libc10.so",
      "torch/lib/libtorch_cpu.so",
    ]);
  }
});

test.each(Object.keys(FACTS.wheels))("each header that the bridge names is in the wheel for %s", (name) => {
  const { headers } = facts(name);
  const missing = namedHeaders().filter(
    (header) => !headers.some((path) => path.endsWith(`/include/${header}`)),
  );
  expect(missing).toEqual([]);
});
