import { lstat, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { HubCache } from "./hub-cache.js";

// As on Windows without developer mode.
vi.mock("node:fs/promises", async (original) => ({
  ...(await original<typeof import("node:fs/promises")>()),
  symlink: () =>
    Promise.reject(Object.assign(new Error("EPERM: operation not permitted"), { code: "EPERM" })),
}));

it("puts the file itself into the snapshot where links are not possible", async () => {
  const directory = await mkdtemp(join(tmpdir(), "cache-"));
  const cache = new HubCache(directory, "a/b");
  const commit = "0".repeat(40);
  await mkdir(join(cache.folder, "blobs"), { recursive: true });
  for (const path of ["config.json", "model.safetensors"]) {
    await writeFile(cache.blob(path), path);
    await cache.link(path, commit, path);
    expect((await lstat(join(cache.snapshot(commit), path))).isFile()).toBe(true);
    expect(await readFile(join(cache.snapshot(commit), path), "utf8")).toBe(path);
  }
  expect(await cache.find(commit)).toBe(cache.snapshot(commit));
  await rm(directory, { recursive: true });
});
