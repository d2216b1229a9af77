import { nn, randn, tensor } from "@wav2vec2/libtorch";
import { expect, it } from "vitest";
import { meanOverFrames, statisticsOverFrames } from "./pooling.js";

it("means and deviations are those of a clip's own frames", () => {
  const values = tensor([1, 9, 3, 9, 8, 9, 5, 9, 100, 9, 100, 9], [2, 3, 2]);
  const frames = [3, 1];
  expect(meanOverFrames(values, frames).toArray()).toEqual([4, 9, 5, 9]);
  const statistics = statisticsOverFrames(values, [2, 3]).toArray(); // [clip, means and deviations]
  expect(statistics.slice(0, 4)).toEqual([2, 9, expect.closeTo(Math.SQRT2, 6), 0]);
});

it("a feature that never changes has a deviation of 0, and a gradient", () => {
  const values = nn.parameter(tensor([2, 1, 2, 5], [1, 2, 2]));
  const statistics = statisticsOverFrames(values, [2]);
  expect(statistics.toArray()[2]).toBe(0);
  statistics.sum().backward();
  expect(values.grad!.toArray().every(Number.isFinite)).toBe(true);
  expect(statisticsOverFrames(randn([1, 4, 3]), [4]).shape).toEqual([1, 6]);
});
