import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { PRESETS } from "../model/presets.js";
import { knownSpeed } from "./known-speeds.js";

const { base, "large-lv60": large } = PRESETS;

/** Answers 2, then 3, then 4. */
function counting() {
  const calls = { count: 0 };
  return { calls, measure: () => 2 + calls.count++ };
}

describe("a speed", () => {
  it("is measured once for a network's width and what it is for", async () => {
    const path = join(await temporaryDirectory("speeds"), "cache", "precision.json");
    const { calls, measure } = counting();
    const of = (network = base, use: "training" | "inference" = "training") =>
      knownSpeed(network, "cpu", use, { path, measure });
    expect([await of(), await of(), await of(large), await of(base, "inference")]).toEqual([2, 2, 3, 4]);
    expect([await of(), calls.count]).toEqual([2, 3]);
    expect(await readdir(join(path, ".."))).toEqual(["precision.json"]);
  });

  it.each([
    ["damaged", '{"version": 1, "speeds": {'],
    ["another version's", '{"version": 0, "speeds": {}}'],
    ["no object", "[]"],
    ["without speeds", '{"version": 1, "speeds": [3]}'],
  ])("is measured again where the file is %s, which is then mended", async (_, text) => {
    const path = join(await temporaryDirectory("speeds"), "precision.json");
    await writeFile(path, text);
    const { calls, measure } = counting();
    for (let i = 0; i < 2; i++) expect(await knownSpeed(base, "cpu", "training", { path, measure })).toBe(2);
    expect(calls.count).toBe(1);
  });

  it("that is no speed is measured again", async () => {
    const path = join(await temporaryDirectory("speeds"), "precision.json");
    await knownSpeed(base, "cpu", "training", { path, measure: () => 2 });
    await writeFile(path, (await readFile(path, "utf8")).replace(": 2\n", ": -1\n"));
    expect(await knownSpeed(base, "cpu", "training", { path, measure: () => 3 })).toBe(3);
  });

  it("is measured each time where it cannot be kept, and on GPUs", async () => {
    const directory = await temporaryDirectory("speeds");
    const { measure } = counting();
    await writeFile(join(directory, "file"), "");
    await mkdir(join(directory, "precision.json"));
    for (const path of [join(directory, "file", "precision.json"), join(directory, "precision.json")])
      expect(await knownSpeed(base, "cpu", "training", { path, measure })).toBeGreaterThan(1);
    const path = join(directory, "of-gpu.json");
    const speeds = [0, 1].map(() => knownSpeed(base, "cuda:0", "training", { path, measure }));
    expect(await Promise.all(speeds)).toEqual([4, 5]);
    expect((await readdir(directory)).sort()).toEqual(["file", "precision.json"]);
  });
});
