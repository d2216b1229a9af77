import { expect, it } from "vitest";
import { loadedPart, within, zoomAround } from "./zoom.js";

it("loads more than is seen, the same for parts near by", () => {
  const part = loadedPart({ from: 1000, to: 1100 });
  expect(part.from).toBeLessThanOrEqual(950);
  expect(part.to).toBeGreaterThanOrEqual(1150);
  expect(loadedPart({ from: 1003, to: 1103 })).toMatchObject({ from: part.from, to: part.to });
  expect(loadedPart(undefined)).toEqual({ share: 1 });
});

it("zooms around a place and stays within the whole", () => {
  const whole = { from: 0, to: 100 };
  expect(zoomAround({ from: 0, to: 100 }, 20, 0.5, whole)).toEqual({ from: 10, to: 60 });
  expect(zoomAround({ from: 10, to: 60 }, 20, 4, whole)).toBeUndefined();
  expect(within({ from: -10, to: 20 }, whole)).toEqual({ from: 0, to: 30 });
  expect(within({ from: 90, to: 120 }, whole)).toEqual({ from: 70, to: 100 });
});
