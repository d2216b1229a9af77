import { existsSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makeElf, temporaryFolder } from "../fixtures.mjs";
import { neededLibraries } from "./elf.mjs";

test("the needed libraries are read in order", () => {
  const path = join(temporaryFolder(), "libtorch_cpu.so");
  for (const needed of [[], ["libc.so.6"], ["libc10.so", "libcupti.so.13", "libm.so.6"]]) {
    writeFileSync(path, makeElf(needed));
    expect(neededLibraries(path)).toEqual(needed);
  }
});

const system = ["/lib/x86_64-linux-gnu/libstdc++.so.6", "/lib/aarch64-linux-gnu/libstdc++.so.6"].find(
  (path) => existsSync(path),
);

test.skipIf(system === undefined)("a real library of this system is understood", () => {
  expect(neededLibraries(realpathSync(/** @type {string} */ (system)))).toEqual(
    expect.arrayContaining(["libm.so.6", "libc.so.6", "libgcc_s.so.1"]),
  );
});

test("other files are refused", () => {
  const path = join(temporaryFolder(), "text.so");
  for (const content of ["", "INPUT(-ltorch)", Buffer.alloc(64)]) {
    writeFileSync(path, content);
    expect(() => neededLibraries(path)).toThrow(/text\.so must be a 64-bit little-endian ELF file/);
  }
});
