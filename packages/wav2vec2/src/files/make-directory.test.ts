import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { makeDirectory } from "./make-directory.js";

const directory = mkdtempSync(join(tmpdir(), "make-directory-"));
afterAll(() => rmSync(directory, { recursive: true }));

describe("makeDirectory", () => {
  it("makes those above it too, and leaves what is there", async () => {
    const path = join(directory, "a/b/c");
    await Promise.all([makeDirectory(path), makeDirectory(path), makeDirectory(join(directory, "a/b/d"))]);
    expect(statSync(path).isDirectory()).toBe(true);
    writeFileSync(join(path, "kept"), "");
    await makeDirectory(path);
    await makeDirectory(`${path}/`);
    expect(existsSync(join(path, "kept"))).toBe(true);
  });

  it("may be called by many at once", async () => {
    for (let round = 0; round < 50; round++) {
      const names = ["x", "x/y", "x/y/z", "x/y/w", "x/v", "x/y/z"];
      const paths = names.map((name) => join(directory, `many-${round}`, name));
      await Promise.all(paths.map(makeDirectory));
      expect(paths.every((path) => statSync(path).isDirectory())).toBe(true);
    }
  });

  it("fails where a file is in the way", async () => {
    const file = join(directory, "file");
    writeFileSync(file, "");
    await expect(makeDirectory(file)).rejects.toMatchObject({ code: "EEXIST" });
    await expect(makeDirectory(join(file, "below"))).rejects.toMatchObject({ code: "ENOTDIR" });
  });

  it.skipIf(!existsSync("/proc/self"))("fails where the system allows none", async () => {
    await expect(makeDirectory("/proc/none/below")).rejects.toMatchObject({ code: "ENOENT" });
  });
});
