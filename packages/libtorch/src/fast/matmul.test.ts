import { describe, expect, it } from "vitest";
import { doubles, error } from "../../test/exact.js";
import { grad, linear, manualSeed, randn, scope, type Tensor } from "../index.js";

// As large as those that oneDNN computes where it is faster (native/src/fast/matmul.cpp), and too small for it. The sums are of
// K products each of about 1, in float32.
const SHAPES = [
  { m: 515, k: 640, n: 513 },
  { m: 51, k: 64, n: 33 },
];
const BOUND = 2e-6;

const transposed = (tensor: Tensor) => tensor.transpose(0, 1);
const double = (tensor: Tensor) => tensor.to({ dtype: "float64" });

describe.each(SHAPES)("products of float32 matrices, %o", ({ m, k, n }) => {
  it("are right however the factors lie", () => {
    manualSeed(1);
    scope(() => {
      const first = {
        rows: randn([m, k]),
        columns: transposed(randn([k, m])),
        apart: randn([m, k + 3]).narrow(1, 1, k),
      };
      const second = {
        rows: randn([k, n]),
        columns: transposed(randn([n, k])),
        apart: randn([k, n + 3]).narrow(1, 2, n),
      };
      for (const [how, a] of Object.entries(first))
        for (const [other, b] of Object.entries(second))
          expect(error(a.mm(b), double(a).mm(double(b))), `${how}, ${other}`).toBeLessThan(BOUND);
    });
  });

  it.each([
    { beta: 1, alpha: 1 },
    { beta: 0, alpha: 1 },
    { beta: 0.5, alpha: 1 },
    { beta: 1, alpha: -2 },
  ])("are added to what is there: %o", (weights) => {
    manualSeed(2);
    scope(() => {
      const [a, b] = [randn([m, k]), transposed(randn([n, k]))];
      for (const shape of [[n], [1, n], [m, 1], [m, n], []]) {
        const added = randn(shape);
        const expected = double(added).addmm(double(a), double(b), weights);
        expect(error(added.addmm(a, b, weights), expected), `to [${shape}]`).toBeLessThan(BOUND);
      }
    });
  });

  it("of a linear layer have their gradients, with and without bias, of clips too", () => {
    manualSeed(3);
    for (const bias of [true, false])
      for (const shape of [[m, k], [5, m / 5, k].map(Math.floor)])
        scope(() => {
          const of = [randn(shape), randn([n, k]), ...(bias ? [randn([n])] : [])];
          for (const each of of) each.requiresGrad = true;
          const exact = doubles(of);
          const [found, expected] = [linear(of[0]!, of[1]!, of[2]), linear(exact[0]!, exact[1]!, exact[2])];
          expect(error(found, expected)).toBeLessThan(BOUND);
          const incoming = randn(found.shape);
          const gradients = grad([found], of, { gradOutputs: [incoming] });
          const theirs = grad([expected], exact, { gradOutputs: [double(incoming)] });
          for (const [i, gradient] of gradients.entries())
            expect(error(gradient!, theirs[i]!), ["x", "weight", "bias"][i]).toBeLessThan(BOUND);
        });
  });

  it("say what does not fit", () => {
    scope(() => {
      expect(() => randn([m, k]).mm(randn([k + 1, n]))).toThrow(/cannot be multiplied/);
      expect(() => randn([n + 1]).addmm(randn([m, k]), randn([k, n]))).toThrow(/expand|match/);
    });
  });
});
