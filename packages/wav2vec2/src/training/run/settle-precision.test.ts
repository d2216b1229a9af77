import { describe, expect, it } from "vitest";
import { worldsOf } from "../../../test/distributed/worlds.js";
import { ALONE, type World } from "../../distributed/world.js";
import { PRESETS } from "../../model/presets.js";
import { combineTrackers } from "../../tracking/tracker.js";
import type { Recipe } from "../recipe/recipe.js";
import { settlePrecision } from "./settle-precision.js";

const { base: network } = PRESETS;
const quiet = combineTrackers([]);

interface Process {
  world?: World;
  speed?: number;
  before?: Recipe["precision"];
}

/** @returns the precision, and what the run told */
async function settle(precision: Recipe["precision"], { world = ALONE, speed = 1, before }: Process) {
  const told: string[] = [];
  const tracker = { ...quiet, tell: (text: string) => void told.push(text) };
  const options = { world, device: "cpu" as const, tracker, network, before, measure: () => speed };
  return { precision: await settlePrecision({ precision }, options), told };
}

describe("the precision of a run", () => {
  it("is decided by rank 0 for processes that measured otherwise, which alone says why", async () => {
    const worlds = worldsOf(3);
    const all = await Promise.all(
      worlds.map((world) => settle("auto", { world, speed: world.rank === 0 ? 2 : 0.5 })),
    );
    expect(all.map(({ precision }) => precision)).toEqual(["bfloat16", "bfloat16", "bfloat16"]);
    expect(all.map(({ told }) => told.length)).toEqual([1, 0, 0]);
  });

  it("stays a process's own where it is named, for the agreement to find", async () => {
    const worlds = worldsOf(2);
    const all = await Promise.all(
      worlds.map((world) => settle(world.rank === 0 ? "auto" : "float32", { world, speed: 2 })),
    );
    expect(all.map(({ precision }) => precision)).toEqual(["bfloat16", "float32"]);
  });

  it("stays what it was when the run began, whatever is faster now", async () => {
    expect(await settle("auto", { before: "float32", speed: 2 })).toEqual({
      precision: "float32",
      told: ["precision: float32 (auto: as the run was begun)"],
    });
    const slower = await settle("auto", { before: "bfloat16", speed: 0.5 });
    expect(slower.precision).toBe("bfloat16");
    expect(slower.told).toEqual([
      "precision: bfloat16 (auto: as the run was begun)",
      expect.stringContaining("bfloat16 is 0.5 times as fast"),
    ]);
  });
});
