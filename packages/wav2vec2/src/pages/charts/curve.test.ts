import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { meanAndRange, type Point, smooth, thin } from "./curve.js";

const random = new Random(1, "curve");
const curve = (values: readonly number[], step = 1): Point[] =>
  values.map((y, index) => ({ x: (index + 1) * step, y }));

describe("thin", () => {
  it("leaves few points as they are", () => {
    const points = curve([3, 1, 2]);
    expect(thin({ points, range: [] }, 3)).toEqual({ points, range: [] });
  });

  it("keeps the lowest and the highest of what it joins, and loses none", () => {
    for (let round = 0; round < 30; round++) {
      const values = Array.from({ length: 1 + random.integer(3000) }, () => random.uniform());
      const most = 1 + random.integer(200);
      const { points, range } = thin({ points: curve(values), range: [] }, most);
      expect(points.length).toBeLessThanOrEqual(most);
      expect(points.at(-1)!.x).toBe(values.length);
      if (range.length === 0) continue;
      expect(range).toHaveLength(points.length);
      expect(Math.min(...range.map(({ low }) => low))).toBe(Math.min(...values));
      expect(Math.max(...range.map(({ high }) => high))).toBe(Math.max(...values));
      for (const [index, { x, low, high }] of range.entries()) {
        expect(points[index]!.x).toBe(x);
        expect(points[index]!.y).toBeGreaterThanOrEqual(low - 1e-12);
        expect(points[index]!.y).toBeLessThanOrEqual(high + 1e-12);
      }
    }
  });

  it("joins ranges to the lowest and highest of them", () => {
    const range = [1, 2, 3, 4].map((x) => ({ x, low: -x, high: 10 * x }));
    expect(thin({ points: curve([1, 2, 3, 4]), range }, 2)).toEqual({
      points: [
        { x: 2, y: 1.5 },
        { x: 4, y: 3.5 },
      ],
      range: [
        { x: 2, low: -2, high: 20 },
        { x: 4, low: -4, high: 40 },
      ],
    });
  });
});

describe("smooth", () => {
  it("is TensorBoard's average, which begins at the first value", () => {
    const values = smooth(curve([4, 8, 0]), 0.5).map(({ y }) => y);
    expect(values[0]).toBe(4);
    expect(values[1]).toBeCloseTo((0.25 * 4 + 0.5 * 8) / 0.75);
    expect(values[2]).toBeCloseTo((0.125 * 4 + 0.25 * 8) / 0.875);
    expect(smooth(curve([7, 7, 7, 7]), 0.99).every(({ y }) => Math.abs(y - 7) < 1e-12)).toBe(true);
    expect(smooth(curve([4, 8, 0]), 0)).toEqual(curve([4, 8, 0]));
  });
});

describe("meanAndRange", () => {
  it("is the mean of straight lines between points, where all have values", () => {
    const coarse = [
      { x: 0, y: 0 },
      { x: 20, y: 20 },
    ];
    const fine = curve([30, 30, 60], 10);
    expect(meanAndRange([coarse, [], fine])).toEqual({
      points: [
        { x: 10, y: 20 },
        { x: 20, y: 25 },
      ],
      range: [
        { x: 10, low: 10, high: 30 },
        { x: 20, low: 20, high: 30 },
      ],
    });
  });

  it("of one curve is that curve, without a range; of none, or of such that share no step, nothing", () => {
    expect(meanAndRange([curve([1, 2])])).toEqual({ points: curve([1, 2]), range: [] });
    expect(meanAndRange([])).toEqual({ points: [], range: [] });
    expect(meanAndRange([curve([1]), [{ x: 9, y: 1 }]]).points).toEqual([]);
  });
});
