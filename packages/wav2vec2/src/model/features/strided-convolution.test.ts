import { nn, randn } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { stridedConvolution } from "./strided-convolution.js";

describe("stridedConvolution", () => {
  it("is PyTorch's convolution, forward and backward, for every kernel, stride and length", () => {
    const random = new Random(1, "convolutions");
    for (let trial = 0; trial < 60; trial++) {
      const [kernel, stride] = [1 + random.integer(11), 1 + random.integer(6)];
      const [channels, out, batch] = [1 + random.integer(4), 1 + random.integer(5), 1 + random.integer(3)];
      const time = kernel + random.integer(30);
      const conv = new nn.Conv1d(channels, out, kernel, { stride, bias: trial % 2 === 0 });
      const values = randn([batch, time, channels]);
      const results = [true, false].map((own) => {
        const x = values.clone();
        x.requiresGrad = true;
        const y = own ? stridedConvolution(x, conv, stride) : conv.forward(x.transpose(1, 2)).transpose(1, 2);
        y.square().sum().backward();
        const gradients = [x.grad!, conv.weight.grad!, ...(conv.bias ? [conv.bias.grad!] : [])].map((grad) =>
          grad.toArray(),
        );
        for (const parameter of conv.parameters()) parameter.grad = undefined;
        return { shape: y.shape, values: [y.contiguous().toArray(), ...gradients] };
      });
      const [mine, theirs] = results as [(typeof results)[0], (typeof results)[0]];
      const name = `kernel ${kernel}, stride ${stride}, ${channels} to ${out} channels, ${time} frames`;
      expect(mine.shape, name).toEqual(theirs.shape);
      for (const [index, values] of theirs.values.entries())
        for (const [place, value] of values.entries())
          expect(Number(mine.values[index]![place]), name).toBeCloseTo(Number(value), 3);
    }
  });
});
