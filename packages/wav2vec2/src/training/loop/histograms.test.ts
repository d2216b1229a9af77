import { bridgeCounters, nn, randn, resetBridgeCounters, type Tensor, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { histogramsOf } from "./histograms.js";

class Layer extends nn.Module {
  constructor(readonly weight: Tensor) {
    super();
  }
}

const layer = (values: readonly number[]): Layer => new Layer(nn.parameter(tensor(values, [values.length])));
const weights = (values: readonly number[]) => histogramsOf(layer(values))["weights/weight"];
/** Counts of the bins from the left, without the empty ones behind the last. */
const counts = (values: readonly number[]): number[] =>
  (weights(values)?.counts ?? [])
    .join()
    .replace(/(,0)+$/, "")
    .split(",")
    .map(Number);

describe("histogramsOf", () => {
  it("counts each value in the bin that holds it", () => {
    const values = randn([40, 250]);
    const { edges, counts } = histogramsOf(new Layer(nn.parameter(values)))["weights/weight"]!;
    const numbers = values.toArray();
    expect([edges.length, counts.length]).toEqual([65, 64]);
    expect([edges[0], edges[64]]).toEqual([Math.min(...numbers), Math.max(...numbers)]);
    const width = (edges[64]! - edges[0]!) / 64;
    const expected = Array.from({ length: 64 }, () => 0);
    for (const value of numbers) expected[Math.min(63, Math.floor((value - edges[0]!) / width))]!++;
    const moved = counts.reduce((sum, count, bin) => sum + Math.abs(count - expected[bin]!), 0);
    expect(moved).toBeLessThanOrEqual(4); // values at an edge, by rounding
    expect(counts.reduce((sum, count) => sum + count)).toBe(10_000);
  });

  it("has gradients where there are some, and reads once", () => {
    const model = new nn.Linear(3, 2);
    expect(Object.keys(histogramsOf(model))).toEqual(["weights/weight", "weights/bias"]);
    model.weight
      .mul(tensor([1, 2, 3], [3]))
      .sum()
      .backward();
    resetBridgeCounters();
    const { "gradients/weight": gradient, ...others } = histogramsOf(model);
    expect(bridgeCounters().reads).toBe(1);
    expect(Object.keys(others)).toEqual(["weights/weight", "weights/bias"]);
    expect([gradient?.edges[0], gradient?.edges[64]]).toEqual([1, 3]);
    expect([gradient?.counts[0], gradient?.counts[32], gradient?.counts[63]]).toEqual([2, 2, 2]);
  });

  it("leaves out what is not finite, and a tensor that holds nothing else", () => {
    const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;
    expect(weights([nan, -infinity, nan])).toBeUndefined();
    const { edges, counts } = weights([1, nan, 2, infinity, -infinity, 2])!;
    expect([edges[0], edges[64], counts[0], counts[63]]).toEqual([1, 2, 1, 2]);
    expect(counts.reduce((sum, count) => sum + count)).toBe(3);
  });

  it("has rising edges whatever the values", () => {
    expect(counts([0.5, 0.5, 0.5])).toEqual([3]);
    for (const values of [[7, 7], [0], [-3e38, 3e38], [1e-45, 2e-45]]) {
      const { edges } = weights(values)!;
      expect(edges.every((edge, index) => index === 0 || edge > edges[index - 1]!)).toBe(true);
    }
    expect(weights([-3e38, 3e38, 0])!.counts.filter((count) => count > 0)).toEqual([1, 1, 1]);
    expect(weights([])).toBeUndefined();
  });
});
