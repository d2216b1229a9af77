import { describe, expect, it } from "vitest";
import { meanLine, tableOf } from "./lines.js";

const look = { label: "loss", tone: 1 };

describe("several seeds as one line", () => {
  it("have their mean and range at every place that any of them has", () => {
    const one = { x: [0, 10, 20], y: [0, 10, 20], count: 3 };
    const two = { x: [0, 20], y: [2, 22], count: 2 };
    expect(meanLine([one, two], look)).toMatchObject({
      x: [0, 10, 20],
      y: [1, 11, 21],
      low: [0, 10, 20],
      high: [2, 12, 22],
    });
  });

  it("go on without those that have not got so far, or began later", () => {
    const one = { x: [0, 10, 20], y: [1, 1, 1], count: 3 };
    const two = { x: [5, 10], y: [3, null], count: 2 };
    expect(meanLine([one, two], look)).toMatchObject({
      x: [0, 5, 10, 20],
      y: [1, 2, 1, 1],
      high: [1, 3, 1, 1],
    });
  });

  it("are smoothed where each is", () => {
    const one = { x: [0, 1], y: [0, 8], smooth: [1, 2], count: 2 };
    expect(meanLine([one, one], look)).toMatchObject({ y: [1, 2], low: [1, 2], high: [1, 2] });
  });
});

describe("a chart as a table", () => {
  it("has the first, the last and places between, with the newest value there of each line", () => {
    const x = Array.from({ length: 1000 }, (_, i) => i);
    const lines = [
      { ...look, x, y: x },
      { ...look, x: [500], y: [7] },
    ];
    const rows = tableOf(lines, 11);
    expect(rows.map((row) => row.x)).toEqual([0, 100, 200, 300, 400, 500, 599, 699, 799, 899, 999]);
    expect(rows[3]!.values).toEqual([300, undefined]);
    expect(rows[10]!.values).toEqual([999, 7]);
  });
});
