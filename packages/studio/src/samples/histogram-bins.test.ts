import { expect, it } from "vitest";
import { quantile, rebinned } from "./histogram-bins.js";

it("histograms share one range, and nothing is lost", () => {
  const { low, high, columns } = rebinned(
    [
      { edges: [0, 1, 2], counts: [4, 4] },
      { edges: [-2, 2], counts: [8] },
      { edges: [1, 1], counts: [5] },
    ],
    4,
  );
  expect([low, high]).toEqual([-2, 2]);
  expect(columns.map((column) => [...column])).toEqual([
    [0, 0, 4, 4],
    [2, 2, 2, 2],
    [0, 0, 0, 5],
  ]);
});

it("a quantile lies within its box", () => {
  expect(quantile({ edges: [0, 1, 3], counts: [2, 2] }, 0.25)).toBe(0.5);
  expect(quantile({ edges: [0, 1, 3], counts: [2, 2] }, 0.75)).toBe(2);
});
