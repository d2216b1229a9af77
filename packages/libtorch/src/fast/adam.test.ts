import { describe, expect, it } from "vitest";
import { full, manualSeed, ones, optim, randn, scope, type Tensor, zeros, zerosLike } from "../index.js";
import { adamAtOnce } from "./adam.js";

const RATES = { betas: [0.9, 0.98], eps: 1e-6 } as const;
const SHAPE = [37, 1001];

/** Kingma and Ba's algorithm 1, and Loshchilov and Hutter's algorithm 2, in float64. */
function reference(decoupled: boolean, weights: Tensor, gradients: readonly Tensor[], decay: number): Tensor {
  const rate = 0.01;
  const [beta1, beta2] = RATES.betas;
  let [value, first, second] = [weights.to({ dtype: "float64" }), undefined, undefined] as [
    Tensor,
    Tensor | undefined,
    Tensor | undefined,
  ];
  for (const [index, given] of gradients.entries()) {
    const wide = given.to({ dtype: "float64" });
    const gradient = decoupled ? wide : wide.add(value.mul(decay));
    first = (first ?? zerosLike(value)).mul(beta1).add(gradient.mul(1 - beta1));
    second = (second ?? zerosLike(value)).mul(beta2).add(gradient.square().mul(1 - beta2));
    const step = first.div(1 - beta1 ** (index + 1)).div(
      second
        .div(1 - beta2 ** (index + 1))
        .sqrt()
        .add(RATES.eps),
    );
    value = (decoupled ? value.mul(1 - rate * decay) : value).sub(step.mul(rate));
  }
  return value;
}

describe("a step of Adam at once", () => {
  it.each([
    ["Adam", false, 0.1],
    ["AdamW", true, 0.1],
    ["AdamW without decay", true, 0],
  ])("is the algorithm's: %s", (_, decoupled, weightDecay) => {
    manualSeed(1);
    scope(() => {
      const parameter = randn(SHAPE);
      const moments = [zeros(SHAPE), zeros(SHAPE)];
      const gradients = [1, 0.1, 3].map((scale) => randn(SHAPE).mul(scale));
      const expected = reference(decoupled, parameter, gradients, weightDecay);
      for (const [index, gradient] of gradients.entries()) {
        const update = { parameter, gradient, moments, step: index + 1, learningRate: 0.01, weightDecay };
        expect(adamAtOnce(decoupled, update, RATES, undefined)).toBe(true);
      }
      expect(parameter.to({ dtype: "float64" }).sub(expected).abs().amax().item()).toBeLessThan(1e-6);
    });
  });

  it("takes gradients as they lie in memory, and follows the largest second moment", () => {
    manualSeed(2);
    scope(() => {
      const [weights, turned] = [randn([40, 30]), randn([30, 40]).transpose(0, 1)];
      const run = (gradient: Tensor) => {
        const moments = [zeros([40, 30]), zeros([40, 30]), zeros([40, 30])];
        const parameter = weights.clone();
        for (const [index, scale] of [2, 0.5].entries()) {
          const update = { parameter, moments, step: index + 1, learningRate: 0.1, weightDecay: 0 };
          expect(adamAtOnce(true, { ...update, gradient: gradient.mul(scale) }, RATES, undefined)).toBe(true);
        }
        expect(moments[2]!.sub(moments[1]!).amin().item()).toBeGreaterThanOrEqual(0);
        return parameter.toBytes();
      };
      expect(run(turned)).toEqual(run(turned.contiguous()));
    });
  });

  it("changes nothing where it is skipped, and is not made for other types", () => {
    scope(() => {
      const update = { moments: [ones([8]), ones([8])], step: 1, learningRate: 0.1, weightDecay: 0.1 };
      const broken = { ...update, parameter: ones([8]), gradient: full([8], Number.NaN) };
      expect(adamAtOnce(true, broken, RATES, ones([], { dtype: "bool" }))).toBe(true);
      for (const each of [broken.parameter, ...broken.moments])
        expect(each.toArray()).toEqual(Array(8).fill(1));
      const wide = { dtype: "float64" } as const;
      const other = { ...update, parameter: ones([8], wide), gradient: ones([8], wide) };
      expect(adamAtOnce(true, other, RATES, undefined)).toBe(false);
    });
  });

  it("is not taken by a class of somebody's own", () => {
    let called = 0;
    class Mine extends optim.AdamW {
      protected override update(update: Parameters<optim.AdamW["update"]>[0]): void {
        called++;
        super.update(update);
      }
    }
    const parameter = ones([4]);
    parameter.requiresGrad = true;
    parameter.grad = ones([4]);
    new Mine([parameter], { learningRate: 0.1 }).step();
    expect(called).toBe(1);
  });
});
