import { describe, expect, it } from "vitest";
import { error, gradientsOfGradients } from "../../test/exact.js";
import {
  autocast,
  conv1d,
  grad,
  manualSeed,
  memoryStatistics,
  nn,
  noGrad,
  randn,
  scope,
  type Tensor,
} from "../index.js";

const DIRECT = (x: Tensor, weight: Tensor, bias: Tensor | undefined, padding: number, groups: number) =>
  conv1d(x, weight, bias, 1, padding, 1, groups);

describe("LongConvolution", () => {
  it.each([
    { batch: 2, time: 50, channels: [8, 8], taps: 32, padding: 16, groups: 2 },
    { batch: 1, time: 700, channels: [6, 4], taps: 33, padding: 0, groups: 1 },
    { batch: 3, time: 1, channels: [4, 8], taps: 128, padding: 64, groups: 4 },
    { batch: 5, time: 499, channels: [32, 32], taps: 128, padding: 64, groups: 16 },
    { batch: 2, time: 40, channels: [4, 4], taps: 40, padding: 0, groups: 1 },
    { batch: 2, time: 1000, channels: [96, 48], taps: 32, padding: 16, groups: 3 }, // two groups, then one
    { batch: 1, time: 90, channels: [4, 4], taps: 48, padding: 100, groups: 2 },
  ])("convolves %o", ({ batch, time, channels: [inputs, outputs], taps, padding, groups }) => {
    manualSeed(1);
    scope(() => {
      const x = randn([batch, time, inputs!]).transpose(1, 2);
      const weight = randn([outputs!, inputs! / groups, taps]);
      for (const bias of [randn([outputs!]), undefined]) {
        const found = noGrad(() => new nn.LongConvolution().forward(x, weight, bias, padding, groups));
        const [wide, wideWeight, wideBias] = [x, weight, bias].map((each) => each?.to({ dtype: "float64" }));
        const expected = DIRECT(wide!, wideWeight!, wideBias, padding, groups);
        expect(found.shape).toEqual(expected.shape);
        expect(error(found, expected)).toBeLessThan(2e-6);
      }
    });
  });

  it.each([
    { batch: 2, time: 50, channels: [8, 8], taps: 32, padding: 16, groups: 2 },
    { batch: 1, time: 700, channels: [6, 4], taps: 33, padding: 0, groups: 1 },
    { batch: 3, time: 1, channels: [4, 8], taps: 128, padding: 64, groups: 4 },
    { batch: 5, time: 499, channels: [32, 32], taps: 128, padding: 64, groups: 16 },
    { batch: 2, time: 260, channels: [12, 6], taps: 128, padding: 64, groups: 3 }, // more windows out than in
    { batch: 2, time: 40, channels: [4, 4], taps: 40, padding: 39, groups: 1 },
    { batch: 2, time: 1000, channels: [96, 48], taps: 32, padding: 16, groups: 3 },
  ])("has the gradients %o", ({ batch, time, channels: [inputs, outputs], taps, padding, groups }) => {
    manualSeed(1);
    scope(() => {
      const of = [
        randn([batch, inputs!, time]),
        randn([outputs!, inputs! / groups, taps]),
        randn([outputs!]),
      ] as const;
      const exact = of.map((each) => each.to({ dtype: "float64" })) as unknown as typeof of;
      for (const each of [...of, ...exact]) each.requiresGrad = true;
      const found = new nn.LongConvolution().forward(...of, padding, groups);
      const expected = DIRECT(...exact, padding, groups);
      expect(error(found, expected)).toBeLessThan(2e-6);
      const incoming = randn(found.shape);
      const gradients = grad([found], of, { gradOutputs: [incoming] });
      const theirs = grad([expected], exact, { gradOutputs: [incoming.to({ dtype: "float64" })] });
      for (const [index, gradient] of gradients.entries())
        expect(error(gradient!, theirs[index]!), "x, weight, bias"[index]).toBeLessThan(3e-6);
    });
  });

  it("has gradients of gradients", () => {
    manualSeed(2);
    const of = [randn([2, 4, 60]), randn([4, 2, 32])] as const;
    const exact = of.map((each) => each.to({ dtype: "float64" })) as unknown as typeof of;
    for (const each of [...of, ...exact]) each.requiresGrad = true;
    const theirs = gradientsOfGradients(DIRECT(exact[0], exact[1], undefined, 16, 2), exact);
    const ours = gradientsOfGradients(new nn.LongConvolution().forward(of[0], of[1], undefined, 16, 2), of);
    for (const [index, gradient] of ours.entries())
      expect(error(gradient!, theirs[index]!)).toBeLessThan(1e-5);
  });

  it("is computed in float32 under autocast, and rounded to its type", () => {
    const x = randn([1, 4, 60]);
    const weight = randn([4, 4, 32]);
    const convolution = new nn.LongConvolution();
    const run = (enabled: boolean, input: Tensor) =>
      noGrad(() => autocast({ enabled }, () => convolution.forward(input, weight, undefined, 16, 1)));
    expect(run(true, x).equal(run(false, x).to({ dtype: "bfloat16" }))).toBe(true);
    const rounded = x.to({ dtype: "bfloat16" });
    expect(run(true, rounded).dtype).toBe("bfloat16");
    expect(error(run(true, rounded), run(false, x).to({ dtype: "float64" }))).toBeLessThan(0.02);
  });

  it("follows the weight, however it changes", () => {
    const x = randn([1, 4, 60]);
    const weight = randn([4, 4, 32]);
    const convolution = new nn.LongConvolution();
    const change = () => {
      const found = noGrad(() => convolution.forward(x, weight, undefined, 16, 1));
      return error(found, DIRECT(x, weight, undefined, 16, 1).to({ dtype: "float64" }));
    };
    expect(change()).toBeLessThan(5e-6);
    weight.narrow(0, 1, 1).mul_(2);
    expect(change()).toBeLessThan(5e-6);
    const other = new nn.LongConvolution();
    noGrad(() => {
      other.forward(x, weight, undefined, 16, 1);
      const wider = randn([1, 8, 60]);
      expect(
        error(
          other.forward(wider, weight, undefined, 16, 2), // the same weight, of other groups
          DIRECT(wider, weight, undefined, 16, 2).to({ dtype: "float64" }),
        ),
      ).toBeLessThan(5e-6);
      const grouped = randn([8, 2, 32]); // and another one
      expect(
        error(
          other.forward(x, grouped, undefined, 16, 2),
          DIRECT(x, grouped, undefined, 16, 2).to({ dtype: "float64" }),
        ),
      ).toBeLessThan(5e-6);
    });
  });

  it("is the operator itself for other dtypes, and for what is wrong", () => {
    const convolution = new nn.LongConvolution();
    const weight = randn([4, 4, 32]);
    const x = randn([1, 4, 60]);
    const wide = { dtype: "float64" } as const;
    expect(convolution.forward(x.to(wide), weight.to(wide), undefined, 16, 1).dtype).toBe("float64");
    expect(() => convolution.forward(x, weight, randn([1]), 16, 1)).toThrow(/conv1d/);
    expect(() => convolution.forward(randn([1, 3, 60]), weight, undefined, 16, 1)).toThrow(/conv1d/);
  });

  it("keeps a copy of the weight and its spectrum, and nothing where a gradient is wanted", () => {
    const weight = randn([4, 4, 32]);
    const x = randn([1, 4, 600]);
    const convolution = new nn.LongConvolution();
    const live = () => memoryStatistics().liveTensors;
    const convolve = () => scope(() => void convolution.forward(x, weight, undefined, 16, 1));
    const before = live();
    noGrad(convolve);
    expect(live() - before).toBe(2);
    noGrad(convolve);
    noGrad(() => weight.mul_(2));
    noGrad(convolve);
    expect(live() - before).toBe(2);
    convolve();
    expect(live()).toBe(before);
  });
});
