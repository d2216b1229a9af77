import { expect, it } from "vitest";
import { twoSidedP } from "./normal-distribution.js";

// SciPy 1.17.1: 2 * scipy.stats.norm.sf(abs(z))
it.each([
  [0, 1],
  [0.001, 0.9992021155721779],
  [-1, 0.31731050786291415],
  [1.959963984540054, 0.05],
  [2.8, 0.005110260660855864],
  [2.9, 0.003731626600768075],
  [-6.68, 2.389422498018187e-11],
  [20, 5.507248237212311e-89],
  [Number.POSITIVE_INFINITY, 0],
])("the two-sided p of %d", (z, p) => {
  expect(Math.abs(twoSidedP(z) - p)).toBeLessThanOrEqual(1e-12 * p);
});
