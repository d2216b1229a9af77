import { describe, expect, it } from "vitest";
import { Random } from "./random.js";

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uniform());

describe("Random", () => {
  it("repeats itself for the same seed and stream, and only then", () => {
    const first = draw(new Random(7, "batches", 3), 20);
    expect(draw(new Random(7, "batches", 3), 20)).toEqual(first);
    for (const other of [
      new Random(8, "batches", 3),
      new Random(7, "batches", 4),
      new Random(7, "masks", 3),
      new Random(7),
    ])
      expect(draw(other, 20)).not.toEqual(first);
  });

  it("keeps its numbers from version to version, as seeds in recipes rely on them", () => {
    const random = new Random(0);
    expect([random.integer(1e9), random.integer(1e9), random.integer(1e9)]).toEqual([
      871868865, 810990166, 732315080,
    ]);
  });

  it("draws uniformly from [0, 1)", () => {
    const draws = draw(new Random(1), 100_000);
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...draws)).toBeLessThan(1);
    const counts = new Array<number>(10).fill(0);
    for (const value of draws) counts[Math.floor(value * 10)]!++;
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500); // 5 standard deviations
  });

  it("draws every integer below n and no other", () => {
    const random = new Random(2);
    const seen = new Set(Array.from({ length: 1000 }, () => random.integer(7)));
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(() => random.integer(0)).toThrow("n must be a whole number of at least 1, but is 0.");
  });

  it("shuffles every item to every place equally often", () => {
    const random = new Random(3);
    const places = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = random.shuffle(["a", "b", "c"]).join("");
      places.set(key, (places.get(key) ?? 0) + 1);
    }
    expect(places.size).toBe(6);
    for (const count of places.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});
