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
  type Tensor,
} from "../index.js";

const SHAPES = [
  { kernel: 3, stride: 2, time: 21 },
  { kernel: 3, stride: 2, time: 22 },
  { kernel: 2, stride: 2, time: 13 },
  { kernel: 10, stride: 5, time: 64 },
  { kernel: 11, stride: 3, time: 40 },
  { kernel: 2, stride: 5, time: 23 }, // samples that no window covers
  { kernel: 4, stride: 1, time: 9 },
  { kernel: 7, stride: 7, time: 7 },
  { kernel: 1, stride: 1, time: 1 },
  // several pieces, of two and of four parts
  { kernel: 3, stride: 2, time: 4200 },
  { kernel: 7, stride: 2, time: 2502 },
];

/** Input and weights with gradients. */
function made({ kernel, stride, time }: (typeof SHAPES)[number], bias: boolean) {
  const conv = new nn.Conv1d(5, 6, kernel, { stride, bias, channelsLast: true });
  const x = randn([3, time, 5]);
  x.requiresGrad = true;
  return { conv, of: [x, conv.weight, ...(conv.bias ? [conv.bias] : [])] };
}

const reference = ([x, weight, bias]: readonly Tensor[], stride: number) =>
  conv1d(x!.transpose(1, 2), weight!, bias, stride).transpose(1, 2);

describe("a convolution with channels last", () => {
  it.each(SHAPES)("is PyTorch's, forward and backward: %o", (shape) => {
    manualSeed(1);
    for (const bias of [false, true])
      scope(() => {
        const { conv, of } = made(shape, bias);
        const exact = doubles(of);
        const [found, expected] = [conv.forward(of[0]!), reference(exact, shape.stride)];
        expect(found.shape).toEqual(expected.shape);
        expect(error(found, expected)).toBeLessThan(1e-6);
        const incoming = randn(found.shape);
        const gradients = grad([found], of, { gradOutputs: [incoming] });
        const theirs = grad([expected], exact, { gradOutputs: [incoming.to({ dtype: "float64" })] });
        const bound = shape.time < 1000 ? 2e-6 : 4e-6; // those of weights are sums over frames
        for (const [i, gradient] of gradients.entries())
          expect(error(gradient!, theirs[i]!), ["x", "weight", "bias"][i]).toBeLessThan(bound);
      });
  });

  it("computes a gradient alone, and takes views", () => {
    scope(() => {
      const { conv } = made({ kernel: 3, stride: 2, time: 20 }, false);
      const turned = randn([3, 5, 20]).transpose(1, 2);
      turned.requiresGrad = true;
      conv.weight.requiresGrad = false;
      const [gradient] = grad([conv.forward(turned).square().sum()], [turned]);
      const [x, weight] = doubles([turned, conv.weight]);
      const [exact] = grad([reference([x!, weight!], 2).square().sum()], [x!]);
      expect(error(gradient!, exact!)).toBeLessThan(2e-6);
    });
  });

  it("has gradients of gradients", () => {
    manualSeed(2);
    const { conv, of } = made({ kernel: 3, stride: 2, time: 20 }, false);
    const exact = doubles(of);
    const theirs = gradientsOfGradients(reference(exact, 2), exact);
    for (const [i, gradient] of gradientsOfGradients(conv.forward(of[0]!), of).entries())
      expect(error(gradient!, theirs[i]!)).toBeLessThan(1e-5);
  });

  // the longer one in pieces
  it.each([41, 4200])("heeds autocast: %i frames", (time) => {
    manualSeed(3);
    scope(() => {
      const { conv, of } = made({ kernel: 3, stride: 2, time }, true);
      const exact = doubles(of);
      const found = autocast({ dtype: "bfloat16" }, () => conv.forward(of[0]!));
      const expected = reference(exact, 2);
      expect(found.dtype).toBe("bfloat16");
      expect(error(found, expected)).toBeLessThan(0.01);
      const gradients = grad([found.square().sum()], of);
      const theirs = grad([expected.square().sum()], exact);
      for (const [i, gradient] of gradients.entries()) {
        expect(gradient!.dtype).toBe("float32");
        expect(error(gradient!, theirs[i]!)).toBeLessThan(0.02);
      }
    });
  });

  it("copies neither its input nor its output", () => {
    scope(() => {
      const conv = new nn.Conv1d(16, 16, 3, { stride: 2, bias: false, channelsLast: true });
      const x = randn([2, 100_001, 16]);
      x.requiresGrad = true;
      releaseMemory(); // the peak is counted from here
      const before = memoryStatistics().liveBytes;
      const output = conv.forward(x);
      expect(memoryStatistics().peakBytes - before).toBeLessThan(1.1 * output.numel * 4);
      grad([output], [x], { gradOutputs: [output] });
      expect(memoryStatistics().peakBytes - before).toBeLessThan(1.1 * (output.numel + x.numel) * 4);
    });
  });

  it("says what does not fit", () => {
    const conv = new nn.Conv1d(5, 6, 3, { channelsLast: true });
    expect(() => conv.forward(randn([1, 9, 4]))).toThrow(/\[batch, time, channels\].*\[1, 9, 4\]/);
    expect(() => conv.forward(randn([1, 2, 5]))).toThrow("the kernel must be of 1 to 2 frames, but is of 3");
    expect(() => conv.forward(randn([1, 9, 5]).to({ dtype: "float64" }))).toThrow("one floating-point type");
    expect(() => new nn.Conv1d(4, 4, 3, { channelsLast: true, padding: 1 })).toThrow(
      "'padding' and 'groups'",
    );
    expect(() => new nn.Conv1d(4, 4, 3, { channelsLast: true, groups: 2 })).toThrow("'padding' and 'groups'");
  });
});
