import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeFlac } from "../audio/flac-writer.js";
import { ClipCache } from "./clip-cache.js";

describe("decoded clips", () => {
  let directory: string;
  let paths: string[];
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "clips-"));
    paths = [100, 200, 300].map((length) => join(directory, `${length}.flac`));
    for (const [i, path] of paths.entries()) {
      await writeFile(path, encodeFlac(new Float32Array(100 * (i + 1)).fill(0.25), 16000));
    }
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it("are kept while they fit and read again where they do not", async () => {
    const clips = new ClipCache();
    expect(await clips.fill(paths, 4 * 300)).toBe(2);
    await rm(paths[0]!);
    expect(await clips.read(paths[0]!)).toEqual(new Float32Array(100).fill(0.25));
    expect(await clips.read(paths[2]!)).toHaveLength(300);
    await rm(paths[2]!);
    await expect(clips.read(paths[2]!)).rejects.toThrow(/300.flac/);
  });
});
