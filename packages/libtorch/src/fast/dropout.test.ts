import { describe, expect, it } from "vitest";
import {
  autocast,
  checkpoint,
  grad,
  manualSeed,
  memoryStatistics,
  nn,
  ones,
  randn,
  scope,
  type Tensor,
} from "../index.js";

const dropout = (p: number) => new nn.Dropout(p);
const shareOf = (mask: Tensor) => mask.to({ dtype: "float64" }).mean().item();

describe("dropout", () => {
  it("drops each element with its probability, independently of its neighbours, its row and other calls", () => {
    manualSeed(3);
    const count = 1 << 20;
    const [first, second] = [dropout(0.3), dropout(0.3)].map((each) => each.forward(ones([count])).eq(0)) as [
      Tensor,
      Tensor,
    ];
    const deviation = Math.sqrt((0.09 * 0.91) / count); // of a share of 0.09
    expect(Math.abs(shareOf(first) - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / count));
    expect(Math.abs(shareOf(first.logicalAnd(second)) - 0.09)).toBeLessThan(5 * deviation);
    for (const shift of [1, 2, 8, 64, 1 << 14]) {
      const both = first.logicalAnd(first.roll([shift]));
      expect(Math.abs(shareOf(both) - 0.09), `${shift} apart`).toBeLessThan(5 * deviation);
    }
  });

  it("scales what it keeps, passes the gradient of that alone, and the gradient's own gradient", () => {
    const x = randn([3, 20_000]).transpose(0, 1); // in memory by columns
    x.requiresGrad = true;
    const y = dropout(0.25).forward(x);
    const mask = y.ne(0).to({ dtype: "float32" }).div(0.75);
    expect(y.sub(x.mul(mask)).abs().amax().item()).toBeLessThan(1e-6);
    const [gradient] = grad([y.square().sum()], [x], { createGraph: true }) as [Tensor];
    expect(gradient.sub(y.mul(mask).mul(2)).abs().amax().item()).toBeLessThan(1e-5);
    const [second] = grad([gradient.sum()], [x]) as [Tensor];
    expect(second.sub(mask.square().mul(2)).abs().amax().item()).toBeLessThan(1e-5);
  });

  it("is the same from the same seed, and in what a checkpoint computes again", () => {
    const run = (again: boolean) => {
      manualSeed(9);
      const x = ones([50_000]);
      x.requiresGrad = true;
      const body = (input: Tensor) => dropout(0.5).forward(input).square();
      scope(() => (again ? checkpoint((input) => body(input!), x) : body(x)).sum().backward());
      return x.grad!.toBytes();
    };
    expect(run(true)).toEqual(run(false));
    expect(run(false)).toEqual(run(false));
  });

  it("drops the same of bfloat16, and rounds what it scales", () => {
    const run = (dtype: "float32" | "bfloat16") => {
      manualSeed(9);
      const x = randn([40_000]).to({ dtype });
      x.requiresGrad = true;
      const y = dropout(0.3).forward(x);
      const [gradient] = grad([y], [x], { gradOutputs: [x.detach()] });
      return [y, gradient!] as const;
    };
    const [found, exact] = [run("bfloat16"), run("float32")];
    for (const [i, each] of found.entries()) {
      expect(each.dtype).toBe("bfloat16");
      expect(each.eq(0).equal(exact[i]!.eq(0))).toBe(true);
      // The values rounded before they are scaled, and behind it.
      const difference = each.to({ dtype: "float32" }).sub(exact[i]!).abs();
      expect(difference.div(exact[i]!.abs().add(1e-30)).amax().item()).toBeLessThan(0.008);
    }
  });

  it("keeps no mask", () => {
    const x = ones([1 << 20]);
    x.requiresGrad = true;
    const before = memoryStatistics().liveBytes;
    const y = dropout(0.1).forward(x);
    expect(memoryStatistics().liveBytes - before).toBe(4 << 20);
    y.dispose();
  });

  it("of other types is libtorch's", () => {
    expect(dropout(0.5).forward(ones([8], { dtype: "float64" })).dtype).toBe("float64");
    expect(dropout(0.5).forward(ones([8], { dtype: "float16" })).dtype).toBe("float16");
    expect(
      dropout(1)
        .forward(ones([8]))
        .sum()
        .item(),
    ).toBe(0);
    const x = ones([8]);
    expect(autocast({ dtype: "bfloat16" }, () => dropout(0.5).forward(x)).dtype).toBe("float32");
  });
});
