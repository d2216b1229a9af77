import { describe, expect, it } from "vitest";
import { learningRateScale } from "./schedule.js";

const scale = (name: "linear" | "constant" | "cosine" | "tri_stage", step: number, more = {}) =>
  learningRateScale(step, { name, warmup_steps: 10, ...more }, 110);

describe("the learning rate", () => {
  it("rises linearly in every schedule and is highest after the warm-up", () => {
    for (const name of ["linear", "constant", "cosine", "tri_stage"] as const) {
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

  it("holds, then decays exponentially in three stages", () => {
    expect(scale("tri_stage", 50, { hold_steps: 40 })).toBe(1);
    expect(scale("tri_stage", 80, { hold_steps: 40 })).toBeCloseTo(0.05 ** 0.5);
    expect(scale("tri_stage", 110, { hold_steps: 40, final_scale: 0.1 })).toBeCloseTo(0.1);
    expect(scale("tri_stage", 200, { hold_steps: 40 })).toBeCloseTo(0.05);
  });
});
