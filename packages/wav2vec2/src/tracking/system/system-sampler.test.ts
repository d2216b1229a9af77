import { describe, expect, it } from "vitest";
import { thinned } from "./system-sampler.js";

describe("readings that are too many", () => {
  const items = (count: number) => Array.from({ length: count }, (_, index) => index);

  it("are thinned evenly, the newest among those that stay", () => {
    expect(thinned(items(100), 10)).toEqual([9, 19, 29, 39, 49, 59, 69, 79, 89, 99]);
    expect(thinned(items(11), 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(thinned(items(25), 4)).toEqual([6, 12, 18, 24]);
  });

  it("are left as they are where they are few", () => {
    expect(thinned(items(10), 10)).toEqual(items(10));
    expect(thinned([], 10)).toEqual([]);
  });
});
