import { describe, expect, it } from "vitest";
import type { Recipe } from "../recipe/recipe.js";
import { learningRateScale } from "./schedule.js";

type Name = Recipe["schedule"]["name"];

const NAMES: Name[] = ["linear", "polynomial", "cosine", "cosine_with_restarts", "constant", "tri_stage"];

const scale = (name: Name, step: number, more = {}) =>
  learningRateScale(step, { name, warmup_steps: 10, ...more }, 110);

describe("the learning rate", () => {
  it("rises over a share of the steps, rounded up", () => {
    const at = (step: number, steps: number) =>
      learningRateScale(step, { name: "constant", warmup_ratio: 0.1 }, steps);
    expect(at(9, 100)).toBeCloseTo(10 / 11);
    expect(at(10, 100)).toBe(1);
    expect(at(10, 101)).toBeCloseTo(11 / 12);
    expect(learningRateScale(0, { name: "linear", warmup_ratio: 0 }, 100)).toBe(1);
  });

  it("rises linearly in every schedule and is highest after the warm-up", () => {
    for (const name of NAMES) {
      expect(scale(name, 0)).toBeCloseTo(1 / 11);
      expect(scale(name, 9)).toBeCloseTo(10 / 11);
      expect(scale(name, 10)).toBe(1);
    }
  });

  it("falls to 0 linearly or along a cosine, or stays", () => {
    expect(scale("linear", 60)).toBeCloseTo(0.5);
    expect(scale("linear", 110)).toBe(0);
    expect(scale("cosine", 60)).toBeCloseTo(0.5);
    expect(scale("cosine", 35)).toBeGreaterThan(scale("linear", 35));
    expect(scale("cosine", 110)).toBeCloseTo(0);
    expect(scale("constant", 110)).toBe(1);
  });

  it("falls along a polynomial to a share that is given", () => {
    expect(scale("polynomial", 60)).toBeCloseTo(0.5);
    expect(scale("polynomial", 60, { power: 2 })).toBeCloseTo(0.25);
    expect(scale("polynomial", 60, { power: 2, final_scale: 0.2 })).toBeCloseTo(0.4);
    expect(scale("polynomial", 110, { power: 3, final_scale: 0.2 })).toBeCloseTo(0.2);
  });

  it("restarts a cosine as often as is said", () => {
    const restarts = (step: number) => scale("cosine_with_restarts", step, { num_cycles: 2 });
    expect(restarts(35)).toBeCloseTo(0.5);
    expect(restarts(59)).toBeLessThan(0.01);
    expect(restarts(60)).toBeCloseTo(1);
    expect(restarts(85)).toBeCloseTo(0.5);
    expect(restarts(110)).toBe(0);
    for (const step of [20, 50, 100])
      expect(scale("cosine_with_restarts", step)).toBeCloseTo(scale("cosine", step));
  });

  it("holds, then decays exponentially in three stages", () => {
    expect(scale("tri_stage", 50, { hold_steps: 40 })).toBe(1);
    expect(scale("tri_stage", 80, { hold_steps: 40 })).toBeCloseTo(0.05 ** 0.5);
    expect(scale("tri_stage", 110, { hold_steps: 40, final_scale: 0.1 })).toBeCloseTo(0.1);
    expect(scale("tri_stage", 200, { hold_steps: 40 })).toBeCloseTo(0.05);
  });
});
