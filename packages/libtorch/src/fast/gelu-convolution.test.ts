import { describe, expect, it } from "vitest";
import { doubles, error, gradientsOfGradients } from "../../test/exact.js";
import {
  autocast,
  conv1d,
  grad,
  manualSeed,
  memoryStatistics,
  nn,
  randn,
  releaseMemory,
  scope,
  stack,
  type Tensor,
} from "../index.js";

const [BATCH, CHANNELS] = [3, 7];

/** The formula in float64, from each clip's own frames. */
function reference(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  frames: readonly number[],
  stride: number,
): Tensor {
  const rows = frames.map((count, row) => {
    const before = conv1d(
      x.narrow(0, row, 1).unsqueeze(1),
      weight.select(0, row).unsqueeze(1),
      bias.select(0, row),
      stride,
    ).select(0, 0); // [channels, time]
    const own = before.gelu().narrow(1, 0, count);
    return own.pad([0, before.shape[1]! - count]).transpose(0, 1);
  });
  return stack(rows);
}

function inputs(samples: number, kernel: number): [x: Tensor, weight: Tensor, bias: Tensor] {
  const x = randn([BATCH, samples]);
  const weight = randn([BATCH, CHANNELS, kernel]);
  const bias = randn([BATCH, CHANNELS]);
  for (const each of [weight, bias]) each.requiresGrad = true;
  return [x, weight, bias];
}

describe("GELU of a convolution of one channel", () => {
  // 600 frames are two blocks of outputs.
  it.each([
    { samples: 400, kernel: 10, stride: 5, frames: [79, 40, 1] },
    { samples: 3007, kernel: 10, stride: 5, frames: [600, 599, 512] },
    { samples: 64, kernel: 3, stride: 7, frames: [9, 9, 2] },
    { samples: 90, kernel: 20, stride: 1, frames: [71, 33, 71] },
  ])("is the formula and its gradient: %o", ({ samples, kernel, stride, frames }) => {
    manualSeed(1);
    scope(() => {
      const [x, weight, bias] = inputs(samples, kernel);
      const exact = doubles([weight, bias]) as [Tensor, Tensor];
      const output = nn.geluConvolution(x, weight, bias, frames, stride);
      const expected = reference(x.to({ dtype: "float64" }), ...exact, frames, stride);
      expect(output.shape).toEqual(expected.shape);
      expect(error(output, expected)).toBeLessThan(5e-7);
      const incoming = randn(output.shape);
      const gradients = grad([output], [weight, bias], { gradOutputs: [incoming] });
      const theirs = grad([expected], exact, { gradOutputs: [incoming.to({ dtype: "float64" })] });
      for (const [i, gradient] of gradients.entries())
        expect(error(gradient!, theirs[i]!), "weight, bias"[i]).toBeLessThan(2e-6);
    });
  });

  it("is exact far from 0 as well", () => {
    scope(() => {
      const x = randn([1, 4001]).mul(4);
      const weight = randn([1, 1, 1]).mul(0).add(1);
      const bias = randn([1, 1]).mul(0);
      const found = nn.geluConvolution(x, weight, bias, [4001], 1).to({ dtype: "float64" });
      const wide = x.to({ dtype: "float64" });
      const expected = wide.gelu().unsqueeze(2);
      // Relative to each value, down to where float32's distribution function ends.
      const near = wide.gt(-5).unsqueeze(2);
      const relative = found
        .sub(expected)
        .abs()
        .div(expected.abs().clamp(1e-30))
        .mul(near.to({ dtype: "float64" }));
      expect(relative.amax().item()).toBeLessThan(5e-6);
      expect(nn.geluConvolution(x.mul(Number.NaN), weight, bias, [4001], 1).isnan().all().item()).toBe(1);
    });
  });

  it("is computed in float32 and written in autocast's type", () => {
    manualSeed(3);
    scope(() => {
      const [x, weight, bias] = inputs(3007, 10);
      const frames = [600, 599, 512];
      const of = [weight, bias];
      const [found, exact] = [true, false].map((cast) =>
        autocast({ dtype: "bfloat16", enabled: cast }, () => nn.geluConvolution(x, weight, bias, frames, 5)),
      ) as [Tensor, Tensor];
      expect(found.dtype).toBe("bfloat16");
      expect(found.equal(exact.to({ dtype: "bfloat16" }))).toBe(true);
      const incoming = randn(exact.shape).to({ dtype: "bfloat16" });
      const gradients = grad([found], of, { gradOutputs: [incoming] });
      const theirs = grad([exact], of, { gradOutputs: [incoming.to({ dtype: "float32" })] });
      for (const [i, gradient] of gradients.entries())
        expect(gradient!.equal(theirs[i]!), "weight, bias"[i]).toBe(true);
    });
  });

  it("has gradients of gradients", () => {
    manualSeed(2);
    const [samples, frames] = [60, [11, 11, 5]];
    const [x, weight, bias] = inputs(samples, 10);
    const exact = doubles([weight, bias]);
    const theirs = gradientsOfGradients(
      reference(x.to({ dtype: "float64" }), exact[0]!, exact[1]!, frames, 5),
      exact,
    );
    const ours = gradientsOfGradients(nn.geluConvolution(x, weight, bias, frames, 5), [weight, bias]);
    for (const [i, gradient] of ours.entries()) expect(error(gradient!, theirs[i]!)).toBeLessThan(1e-5);
  });

  it("holds its output alone, and no gradient of that size but the one that comes", () => {
    scope(() => {
      const [x, weight, bias] = inputs(400_000, 10);
      const output = 4 * BATCH * CHANNELS * 79_999;
      releaseMemory(); // the peak is counted from here
      const before = memoryStatistics().liveBytes;
      const found = nn.geluConvolution(x, weight, bias, [79_999, 79_999, 79_999], 5);
      expect(memoryStatistics().liveBytes - before).toBeLessThan(output * 1.1);
      found.sum().backward();
      // The samples in order of taps are as large as the samples.
      expect(memoryStatistics().peakBytes - before).toBeLessThan(output * 2.1 + 3 * x.numel * 4);
    });
  });

  it("is for float32 on the CPU, without a gradient of the samples", () => {
    const [x, weight] = inputs(400, 10);
    expect(nn.takesGeluConvolution(x, weight)).toBe(true);
    expect(nn.takesGeluConvolution(x.to({ dtype: "float64" }), weight)).toBe(false);
    expect(autocast({ dtype: "bfloat16" }, () => nn.takesGeluConvolution(x, weight))).toBe(true);
    expect(autocast({ dtype: "float16" }, () => nn.takesGeluConvolution(x, weight))).toBe(false);
    x.requiresGrad = true;
    expect(nn.takesGeluConvolution(x, weight)).toBe(false);
  });

  it("refuses what it would read or write beside its tensors", () => {
    const [x, weight, bias] = inputs(400, 10);
    const call = (frames: number[], stride: number, own = weight) =>
      nn.geluConvolution(x, own, bias, frames, stride);
    expect(() => call([79, 79, 80], 5)).toThrow("frames of a clip must be 0 to 79, but are 80");
    expect(() => call([79, 79], 5)).toThrow("frames must be given for 3 clips, but are for 2");
    expect(() => call([1, 1, 1], 401)).toThrow("stride must be 1 to 400, but is 401");
    expect(() => call([1, 1, 1], 0)).toThrow("'stride' must be a whole number of 1 or more");
    expect(() => call([1, 1, 1], 1, randn([BATCH, CHANNELS, 401]))).toThrow(
      "the kernel must be of 1 to 400 samples",
    );
    expect(() => call([1, 1, 1], 1, randn([BATCH, CHANNELS + 1, 3]))).toThrow("[batch, channels, kernel]");
  });
});
