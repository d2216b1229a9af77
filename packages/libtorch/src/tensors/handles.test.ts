import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { TorchError } from "../errors.js";
import { ones, zeros } from "../operators/operators.generated.js";
import { memoryStatistics } from "../runtime.js";
import { keep, scope } from "./handles.js";
import { Tensor, tensor } from "./tensor.js";

const live = () => memoryStatistics().liveTensors;

describe("scope", () => {
  it("frees what was made in it, except what it returns", () => {
    const x = ones([2]);
    const before = live();
    let lost: Tensor | undefined;
    const result = scope(() => {
      lost = x.add(1);
      return lost.mul(3);
    });
    expect(lost?.isLive).toBe(false);
    expect(result.toArray()).toEqual([6, 6]);
    expect(x.isLive).toBe(true);
    expect(live()).toBe(before + 1);
  });

  it("keeps tensors in arrays, maps and plain objects, once each, also in circles", () => {
    const result = scope(() => {
      const one = ones([1]);
      const value = {
        list: [one, [zeros([1])]],
        map: new Map([["a", ones([2])]]),
        same: one,
        self: {} as object,
      };
      value.self = value;
      return value;
    });
    expect(result.same.isLive).toBe(true);
    expect((result.list[1] as Tensor[])[0]?.isLive).toBe(true);
    expect(result.map.get("a")?.isLive).toBe(true);
  });

  it("hands what it returns to the scope around it", () => {
    let inner: Tensor | undefined;
    const before = live();
    scope(() => {
      inner = scope(() => ones([3]).mul(2));
      expect(inner.toArray()).toEqual([2, 2, 2]);
    });
    expect(inner?.isLive).toBe(false);
    expect(live()).toBe(before);
  });

  it("returns a tensor of a scope further out without giving it away", () => {
    scope(() => {
      const outer = ones([1]);
      scope(() => {
        const passed = scope(() => outer);
        expect(passed).toBe(outer);
      });
      expect(outer.isLive).toBe(true);
    });
  });

  it("keeps what is in fields of class instances, Sets and keys of Maps", () => {
    class Out {
      readonly #hidden = ones([1]);
      constructor(
        readonly logits: Tensor,
        readonly more = { parts: new Set([ones([1])]), byTensor: new Map([[ones([1]), 1]]) },
      ) {}
      get hidden(): Tensor {
        return this.#hidden;
      }
    }
    const out = scope(() => new Out(zeros([2])));
    const seen = [out.logits, ...out.more.parts, ...out.more.byTensor.keys()];
    expect(seen.map(({ isLive }) => isLive)).toEqual([true, true, true]);
    expect(out.hidden.isLive).toBe(false); // nobody can look into a private field
  });

  it("frees everything when the function throws, and lets the error through", () => {
    const before = live();
    let made: Tensor | undefined;
    expect(() =>
      scope(() => {
        made = ones([2]);
        scope(() => {
          zeros([3]).add(1);
          throw new RangeError("mine");
        });
      }),
    ).toThrow(RangeError);
    expect(made?.isLive).toBe(false);
    expect(live()).toBe(before);
    expect(scope(() => ones([1])).isLive).toBe(true);
  });

  it("refuses promises, and frees what was made up to them", () => {
    const before = live();
    expect(() => scope(async () => ones([1]))).toThrow(/must be synchronous, but returns a promise/);
    expect(live()).toBe(before);
  });

  it("does not free what keep takes out", () => {
    let kept: Tensor | undefined;
    scope(() => {
      scope(() => {
        kept = keep(ones([2]));
      });
    });
    expect(kept?.toArray()).toEqual([1, 1]);
  });

  it("comes back to the same number of tensors after much work", () => {
    const weight = tensor([1, 2, 3, 4], [2, 2], { requiresGrad: true });
    const before = live();
    for (let i = 0; i < 100; i++) {
      scope(() => {
        const hidden = scope(() => weight.mm(weight).relu());
        hidden.sum().backward();
        noGrad(() => weight.grad?.mul(0.1));
        weight.grad = undefined;
      });
    }
    expect(live()).toBe(before);
  });
});

describe("a freed tensor", () => {
  it("is named by its operator, dtype and shape when it is used", () => {
    const x = ones([2, 3]);
    let lost = x;
    scope(() => {
      lost = x.mul(2);
    });
    expect(() => lost.add(1)).toThrow(TorchError);
    expect(() => lost.add(1)).toThrow(
      "add.Scalar: 'self' (Tensor) must be a live Tensor, but the result of 'mul.Scalar', Float [2, 3], was freed. " +
        "Return it from its scope or keep() it",
    );
    expect(() => x.add(lost)).toThrow(/'other' \(Tensor\) must be a live Tensor/);
    expect(() => lost.shape).toThrow(TorchError);
    expect(() => lost.toArray()).toThrow(TorchError);
    expect(() => lost.backward()).toThrow(/must be given live Tensors, but the result of 'mul.Scalar'/);
  });

  it("stays freed when its place is used again", () => {
    const stale = ones([1]);
    stale.dispose();
    const next = Array.from({ length: 50 }, (_, i) => tensor([i]));
    expect(stale.isLive).toBe(false);
    expect(() => stale.item()).toThrow(/was freed/);
    stale.dispose();
    expect(next.map((x) => x.item())).toEqual(next.map((_, i) => i));
  });

  it("may be freed twice, inside a scope or after it", () => {
    const before = live();
    scope(() => {
      const x = ones([1]);
      x.dispose();
      x.dispose();
    });
    expect(live()).toBe(before);
  });

  it.each([0, -1, 0.5, Number.NaN, Infinity, 2 ** 52, 2 ** 53])(
    "is what the made-up handle %d is taken for",
    (handle) => {
      expect(() => new Tensor(handle).shape).toThrow(TorchError);
    },
  );
});
