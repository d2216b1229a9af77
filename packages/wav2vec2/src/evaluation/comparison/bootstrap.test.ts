import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { bootstrapDifference, bootstrapWer, type Unit } from "./bootstrap.js";

const units = (count: number, share: number, seed = 1): Unit[] => {
  const random = new Random(seed, "units");
  return Array.from({ length: count }, () => {
    const words = 5 + random.integer(20);
    const errors = Array.from({ length: words }).filter(() => random.uniform() < share).length;
    return { words, errors };
  });
};

describe("bootstrapWer", () => {
  it("is as wide as the normal approximation of many units", () => {
    const many = units(400, 0.1);
    const { low, high } = bootstrapWer(many);
    const words = many.reduce((sum, unit) => sum + unit.words, 0);
    const wer = many.reduce((sum, unit) => sum + unit.errors, 0) / words;
    // Of the ratio of two sums, by the delta method
    const variance = many.reduce((sum, unit) => sum + (unit.errors - wer * unit.words) ** 2, 0) / words ** 2;
    expect((high - low) / (2 * 1.96 * Math.sqrt(variance))).toBeCloseTo(1, 1);
    expect((high + low) / 2).toBeCloseTo(wer, 3);
  });

  it("covers the true rate about 95 times in 100", () => {
    let covered = 0;
    for (let trial = 0; trial < 200; trial++) {
      const { low, high } = bootstrapWer(units(60, 0.2, trial), { resamples: 400, seed: trial });
      if (low <= 0.2 && 0.2 <= high) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.89);
    expect(covered / 200).toBeLessThan(0.99);
  });

  it("depends on the seed alone", () => {
    const some = units(50, 0.3);
    expect(bootstrapWer(some, { resamples: 1000 })).toEqual(bootstrapWer(some, { resamples: 1000, seed: 0 }));
    expect(bootstrapWer(some, { resamples: 1000, seed: 1 })).not.toEqual(
      bootstrapWer(some, { resamples: 1000 }),
    );
  });

  it("is a point where nothing varies or there are no words", () => {
    expect(bootstrapWer([{ words: 4, errors: 1 }])).toEqual({ low: 0.25, high: 0.25 });
    expect(bootstrapWer([{ words: 0, errors: 2 }])).toEqual({ low: 2, high: 2 });
  });
});

describe("bootstrapDifference", () => {
  it("of systems that err in the same places is narrower than their own intervals", () => {
    const first = units(200, 0.2);
    const second = first.map(({ words, errors }, i) => ({
      words,
      errors: Math.max(0, errors - (i % 4 === 0 ? 1 : 0)),
    }));
    const { low, high, probabilityOfImprovement } = bootstrapDifference(first, second);
    const own = bootstrapWer(first);
    expect(high).toBeLessThan(0);
    expect(high - low).toBeLessThan((own.high - own.low) / 2);
    expect(probabilityOfImprovement).toBe(1);
    expect(bootstrapDifference(second, first)).toEqual({
      low: -high,
      high: -low,
      probabilityOfImprovement: 0,
    });
  });

  it("of a system and itself is nothing, and improvement a toss", () => {
    const some = units(30, 0.3);
    expect(bootstrapDifference(some, some)).toEqual({ low: 0, high: 0, probabilityOfImprovement: 0.5 });
  });
});
