import { nearest } from "@wav2vec2/libtorch/nearest";
import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../errors.js";
import { resolveRecipe } from "./recipe.js";
import { recipeKeys } from "./recipe-keys.js";

describe("resolveRecipe", () => {
  it("resolves to the same recipe again", () => {
    const recipe = resolveRecipe({ data: { root: "corpus" }, model: { hidden_size: 64 } });
    expect(resolveRecipe(recipe)).toEqual(recipe);
  });

  it("throws on a key that does not exist", () => {
    const slip = { data: { root: "corpus" }, max_step: 3 };
    expect(() => resolveRecipe(slip)).toThrow(ConfigurationError);
    expect(() => resolveRecipe(slip)).toThrow(/Did you mean 'max_steps'/);
  });
});

describe("recipeKeys", () => {
  it("documents every key", () => {
    const keys = recipeKeys();
    expect(keys.filter(({ description }) => description === "")).toEqual([]);
    expect(keys.find(({ name }) => name === "optimizer.betas")).toMatchObject({
      type: "list",
      default: [0.9, 0.98],
    });
    expect(keys.find(({ name }) => name === "schedule.name")?.choices).toContain("tri_stage");
  });

  it("reaches every key of a resolved recipe", () => {
    const names = new Set(recipeKeys().map(({ name }) => name));
    const recipe = resolveRecipe({ data: { root: "corpus" } });
    const leavesOf = (values: object, prefix: string): string[] =>
      Object.entries(values).flatMap(([key, value]) =>
        typeof value === "object" && !Array.isArray(value) && key !== "model"
          ? leavesOf(value, `${prefix}${key}.`)
          : [`${prefix}${key}`],
      );
    const leaves = leavesOf(recipe, "");
    expect(leaves).toContain("data.noise.snr_db");
    expect(leaves.filter((leaf) => !names.has(leaf))).toEqual([]);
  });
});

describe("nearest", () => {
  it.each([
    ["learning_rat", "learning_rate"],
    ["sede", "seed"],
    ["maxsteps", "max_steps"],
    ["zebra", undefined],
  ])("%s -> %s", (name, expected) => {
    expect(nearest(name, ["learning_rate", "seed", "max_steps"])).toBe(expected);
  });
});
