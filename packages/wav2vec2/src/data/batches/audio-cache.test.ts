import { describe, expect, it } from "vitest";
import { AudioCache } from "./audio-cache.js";

function cacheOf(samples: number) {
  const decoded: string[] = [];
  const cache = new AudioCache(4 * samples, async (path) => {
    decoded.push(path);
    return new Float32Array(Number(path.slice(1)));
  });
  return { cache, decoded };
}

describe("AudioCache", () => {
  it("decodes a file once while it fits, and drops what was not used the longest", async () => {
    const { cache, decoded } = cacheOf(10);
    for (const path of ["a4", "b4", "a4", "b4", "a4", "c4", "a4", "b4"]) {
      expect(await cache.read(path)).toHaveLength(4);
    }
    expect(decoded).toEqual(["a4", "b4", "c4", "b4"]);
  });

  it("does not keep what is too large, nor drop others for it", async () => {
    const { cache, decoded } = cacheOf(10);
    for (const path of ["a4", "b11", "b11", "a4"]) await cache.read(path);
    expect(decoded).toEqual(["a4", "b11", "b11"]);
  });

  it("counts a file once that is read twice at a time", async () => {
    const { cache, decoded } = cacheOf(10);
    await Promise.all([cache.read("a6"), cache.read("a6")]);
    await cache.read("b4");
    await cache.read("a6");
    expect(decoded).toEqual(["a6", "a6", "b4"]);
  });

  it("keeps no failures", async () => {
    let fails = true;
    const cache = new AudioCache(100, async () => {
      if (fails) throw new Error("unreadable");
      return new Float32Array(3);
    });
    await expect(cache.read("a")).rejects.toThrow("unreadable");
    fails = false;
    expect(await cache.read("a")).toHaveLength(3);
  });
});
