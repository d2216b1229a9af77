import { describe, expect, it } from "vitest";
import type { RunDescription } from "../../run-description.js";
import { combineTrackers } from "../../tracker.js";
import { type WatchedRecipe, watchMachine } from "./watch-machine.js";

const RECIPE: WatchedRecipe = { maxMinutes: undefined, saveSteps: 100, keepCheckpoints: 2, workers: 3 };

/** A run that logs every 15 seconds. */
function watched(recipe: Partial<WatchedRecipe> = {}) {
  let time = 1.8e12;
  const said: string[] = [];
  const told: string[] = [];
  const tracker = watchMachine(
    combineTrackers([
      { note: (text, finding) => void said.push(`${finding?.step} ${finding?.name}: ${text}`) },
      { log: () => void told.push("log"), system: () => void told.push("system") },
    ]),
    { ...RECIPE, ...recipe },
    () => time,
  );
  return {
    tracker,
    said,
    told,
    step(step: number, values: Record<string, number>, metrics: Record<string, number> = {}) {
      time += 15_000;
      tracker.log({ data_wait_share: 0.1, ...metrics }, step);
      tracker.system([{ time, rank: 0, host: "node", values }], step);
    },
  };
}

const run = (all: number, trained = all) => ({ parameters: { all, trained } }) as RunDescription;

describe("a watched run", () => {
  it("passes everything on, and notes a finding with its step and name", async () => {
    const { tracker, step, said, told } = watched();
    tracker.planned(1000);
    for (const at of [10, 20, 30]) step(at, { memory_percent: 99 });
    expect(told).toEqual(["log", "system", "log", "system", "log", "system"]);
    expect(said).toEqual([expect.stringMatching(/^30 memory: The memory is nearly full/)]);
  });

  it("knows how much a checkpoint takes: weights, and both moments of those that learn", async () => {
    const { tracker, step, said } = watched();
    await tracker.begin(run(300e6, 100e6)); // 1.2 GB of weights, 0.8 GB of moments
    tracker.planned(1000);
    step(10, { "disk./.freeGB": 2.1e9 / 2 ** 30 });
    expect(said.splice(0)).toEqual([expect.stringContaining("models still need 8.4 GB")]);
    const other = watched();
    await other.tracker.begin(run(300e6, 100e6));
    other.tracker.planned(1000);
    other.step(10, { "disk./.freeGB": 1.9e9 / 2 ** 30 });
    expect(other.said).toEqual([expect.stringContaining("next checkpoint: it needs 2 GB")]);
  });

  it("knows from its pace, or its limit of time, whether it is through before the disk is full", () => {
    const last = (steps: number, recipe = {}) => {
      const { tracker, step, said } = watched(recipe);
      tracker.planned(steps);
      for (let at = 1; at <= 60; at++) step(at, { "disk./.freeGB": 60 - 0.1 * at, "run.modelsGB": 0 });
      return said;
    };
    expect(last(10_000)).toEqual([expect.stringContaining("before the run is through (41 h")]);
    expect(last(200)).toEqual([]); // 35 minutes are left
    expect(last(10_000, { maxMinutes: 30 })).toEqual([]);
  });

  it("says that the GPU waits for audio, unless that was said already", () => {
    const idle = { "gpu.0.gpu": 10 };
    const alone = watched();
    for (let at = 1; at <= 20; at++) alone.step(at, idle, { data_wait_share: 0.6 });
    expect(alone.said).toEqual([expect.stringContaining("Raise data.workers (now 3)")]);
    const told = watched();
    told.tracker.note("Training waits for audio 60 % of the time.", { step: 1, name: "data wait" });
    for (let at = 1; at <= 20; at++) told.step(at, idle, { data_wait_share: 0.6 });
    expect(told.said).toHaveLength(1);
  });
});
