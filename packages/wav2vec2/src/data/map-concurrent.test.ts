import { expect, it } from "vitest";
import { mapConcurrent } from "./map-concurrent.js";

it("mapConcurrent keeps the order and the limit", async () => {
  let running = 0;
  let most = 0;
  const results = await mapConcurrent([5, 1, 4, 2, 3, 0], 3, async (value) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, value));
    running--;
    return value * 10;
  });
  expect(results).toEqual([50, 10, 40, 20, 30, 0]);
  expect(most).toBe(3);
  expect(await mapConcurrent([], 3, async () => 1)).toEqual([]);
});

it("mapConcurrent passes the first error on", async () => {
  const run = async (value: number) => {
    if (value === 2) throw new Error("two");
    return value;
  };
  await expect(mapConcurrent([1, 2, 3], 2, run)).rejects.toThrow("two");
});
