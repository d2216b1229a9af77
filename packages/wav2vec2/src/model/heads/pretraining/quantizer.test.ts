import { manualSeed, noGrad, randn, type Tensor, tensor } from "@wav2vec2/libtorch";
import { beforeEach, describe, expect, it } from "vitest";
import { createConfig } from "../../configuration.js";
import { GumbelVectorQuantizer, gumbelNoise } from "./quantizer.js";

const config = createConfig({
  convDim: [8],
  convKernel: [10],
  convStride: [5],
  codevectorDim: 6,
  numCodevectorGroups: 2,
  numCodevectorsPerGroup: 5,
});

describe("the quantizer", () => {
  let quantizer: GumbelVectorQuantizer;
  let features: Tensor;

  beforeEach(() => {
    manualSeed(3);
    quantizer = new GumbelVectorQuantizer(config);
    features = randn([2, 7, 8]);
  });

  it("gives exactly the entries it names, in training too", () => {
    for (const training of [true, false]) {
      quantizer.train(training);
      const { quantized, codes } = quantizer.forward(features);
      const codebooks = quantizer.codevectors.view([2, 5, 3]);
      for (const [i, entry] of codes.select(0, 1).select(0, 3).toArray().entries()) {
        const expected = codebooks.select(0, i).select(0, entry).toArray();
        expect(
          quantized
            .select(0, 1)
            .select(0, 3)
            .narrow(0, 3 * i, 3)
            .toArray(),
        ).toEqual(expected);
      }
    }
  });

  it("chooses by the noise in training, by the scores alone in evaluation", () => {
    const choices = (noise?: Tensor) => quantizer.forward(features, undefined, noise).codes.toArray();
    quantizer.eval();
    expect(choices()).toEqual(choices());
    quantizer.train();
    expect(choices()).not.toEqual(choices());
    const favourite = tensor([0, 0, 0, 1e4, 0], [1, 1, 1, 5]).expand([2, 7, 2, 5]);
    expect(new Set(choices(favourite))).toEqual(new Set([3]));
  });

  it("passes gradients to the scores and to the chosen entries", () => {
    quantizer.train();
    const { quantized, codes } = quantizer.forward(features);
    quantized.square().sum().backward();
    expect(quantizer.weightProj.weight.grad!.abs().sum().item()).toBeGreaterThan(0);
    const used = quantizer.codevectors.grad!.abs().sum([2]).gt(0).view([2, 5]).toArray();
    const chosen = [0, 1].flatMap((group) => {
      const entries = new Set(codes.select(2, group).flatten().toArray());
      return Array.from({ length: 5 }, (_, entry) => Number(entries.has(entry)));
    });
    expect(used).toEqual(chosen);
  });

  it("has a perplexity of 1 where one entry does it all, and of all entries where they share alike", () => {
    quantizer.train();
    const set = (bias: number[]) =>
      noGrad(() => {
        quantizer.weightProj.weight.zero_();
        quantizer.weightProj.bias!.copy_(tensor(bias));
      });
    set([0, 200, 0, 0, 0, 200, 0, 0, 0, 0]);
    expect(quantizer.forward(features).perplexities.toArray()).toEqual([1, 1]);
    quantizer.forward(features).perplexities.sum().backward();
    expect(quantizer.weightProj.bias!.grad!.isfinite().toArray()).not.toContain(0); // shares of 0 included
    set(Array<number>(10).fill(0));
    for (const perplexity of quantizer.forward(features).perplexities.toArray())
      expect(perplexity).toBeCloseTo(5, 4);
  });

  it("counts only the frames it is told to", () => {
    quantizer.eval();
    const counted = tensor([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [2, 7], { dtype: "bool" });
    expect(quantizer.forward(features, counted).perplexities.toArray()).toEqual([1, 1]);
    const none = counted.logicalAnd(counted.logicalNot());
    expect(quantizer.forward(features, none).perplexities.toArray()).toEqual([1, 1]);
  });
});

describe("Gumbel noise", () => {
  it("is finite for every uniform draw, 0 included", () => {
    const noise = gumbelNoise(tensor([0, 2 ** -24, 0.5, 1 - 2 ** -24])).toArray();
    expect(noise.every(Number.isFinite)).toBe(true);
    expect(noise[2]).toBeCloseTo(-Math.log(Math.log(2)), 6);
    expect(noise).toEqual([...noise].sort((a, b) => a - b));
  });
});
