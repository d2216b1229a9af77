import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repeat } from "./repeat.mjs";
import { Store } from "./store.mjs";

test("what was measured of a row survives a failure and another process; measured anew, it begins from nothing", () => {
  const folder = mkdtempSync(join(tmpdir(), "side-by-side-"));
  try {
    const path = join(folder, "below", "results.json");
    const run = { seconds: [1], peakMb: 10, commit: "a", date: "2026-01-01" };
    const store = new Store(path);
    store.add("row", run);
    store.add("row", { error: "not done" });
    expect(new Store(path).row("row")).toEqual({ runs: [run], error: "not done" });
    store.begin("row", true);
    expect(store.row("row")).toEqual({ runs: [run] });
    store.begin("row", false);
    expect(store.row("row")).toEqual({ runs: [] });
    expect(store.row("another")).toEqual({ runs: [] });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a first pass counts only where it took long enough to say all", async () => {
  let passes = 0;
  const pass = () => void passes++;
  const { seconds, processor } = await repeat(pass, { most: 3, wanted: 1000, long: 1000 });
  expect([passes, seconds.length, processor.length]).toEqual([4, 3, 3]);
  passes = 0;
  const long = await repeat(pass, { most: 3, wanted: -1, long: -1 });
  expect([passes, long.seconds.length]).toEqual([1, 1]);
  passes = 0;
  const steps = await repeat(pass, { most: 3, wanted: 1000, long: 1000, uncounted: 2 });
  expect([passes, steps.seconds.length]).toEqual([5, 3]);
});
