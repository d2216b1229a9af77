import { describe, expect, it } from "vitest";
import { enableGrad, grad, noGrad } from "./autograd.js";
import { TorchError } from "./errors.js";
import { ones, zeros } from "./operators/operators.generated.js";
import { memoryStatistics } from "./runtime.js";
import { scope } from "./tensors/handles.js";
import { type Tensor, tensor } from "./tensors/tensor.js";

const leaf = (values: number[]) => tensor(values, [values.length], { requiresGrad: true });

describe("backward", () => {
  it("gives gradients to leaves, and adds to what they have", () => {
    const x = leaf([1, 2, 3]);
    x.square().sum().backward();
    expect(x.grad?.toArray()).toEqual([2, 4, 6]);
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([3, 5, 7]);
    x.grad = undefined;
    expect(x.grad).toBeUndefined();
  });

  it("takes an incoming gradient for more than one element", () => {
    const x = leaf([1, 2]);
    x.mul(3).backward(tensor([1, 10]));
    expect(x.grad?.toArray()).toEqual([3, 30]);
    expect(() => x.mul(3).backward()).toThrow(/scalar outputs/);
  });

  it("keeps what it needs when a scope frees the handles in between", () => {
    const x = leaf([2]);
    const loss = scope(() => x.square().exp().sum());
    loss.backward();
    expect(x.grad?.item()).toBeCloseTo(4 * Math.exp(4), 3);
  });

  it("goes through a graph once, unless it is to be retained", () => {
    const x = leaf([1, 2]);
    const loss = x.square().sum();
    loss.backward(undefined, { retainGraph: true });
    loss.backward();
    expect(x.grad?.toArray()).toEqual([4, 8]);
    expect(() => loss.backward()).toThrow(/second time/);
  });

  it("needs something that requires a gradient", () => {
    expect(() => ones([1]).backward()).toThrow(TorchError);
    expect(() => {
      tensor([1], [1], { dtype: "int64" }).requiresGrad = true;
    }).toThrow(/floating point/);
  });

  it("does not see detached tensors", () => {
    const x = leaf([3]);
    x.mul(x.detach()).sum().backward();
    expect(x.grad?.toArray()).toEqual([3]);
  });
});

describe("a gradient set by hand", () => {
  it("must fit its tensor", () => {
    const x = leaf([1, 2]);
    x.grad = tensor([5, 6]);
    expect(x.grad.toArray()).toEqual([5, 6]);
    expect(() => {
      x.grad = ones([3]);
    }).toThrow(/must be Float \[2\] as its tensor, but is Float \[3\]/);
    expect(() => {
      x.grad = ones([2], { dtype: "float64" });
    }).toThrow(TorchError);
  });
});

describe("grad", () => {
  it("returns gradients and touches none", () => {
    const x = leaf([1, 2]);
    const y = leaf([3, 4]);
    const [dx, dy] = grad([x.mul(y).sum()], [x, y]);
    expect([dx?.toArray(), dy?.toArray()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(x.grad).toBeUndefined();
  });

  it("takes incoming gradients, and undefined for unused inputs where allowed", () => {
    const x = leaf([1, 2]);
    const unused = leaf([0]);
    const gradients = grad([x.mul(2)], [x, unused], { gradOutputs: [tensor([1, 5])], allowUnused: true });
    expect(gradients.map((gradient) => gradient?.toArray())).toEqual([[2, 10], undefined]);
    expect(() => grad([x.sum()], [unused])).toThrow(/not have been used|allow_unused/);
  });

  it("differentiates twice with createGraph", () => {
    const x = leaf([2, 3]);
    const [first] = grad([x.pow(3).sum()], [x], { createGraph: true });
    expect(first?.toArray()).toEqual([12, 27]);
    const [second] = grad([first!.sum()], [x]);
    expect(second?.toArray()).toEqual([12, 18]);
  });
});

describe("noGrad", () => {
  it("records nothing, ends with its function, and enableGrad opens it again", () => {
    const x = leaf([1]);
    noGrad(() => {
      expect(x.mul(2).requiresGrad).toBe(false);
      expect(enableGrad(() => x.mul(2)).requiresGrad).toBe(true);
      expect(x.mul(2).requiresGrad).toBe(false);
      x.add_(1);
    });
    expect(x.mul(2).requiresGrad).toBe(true);
    expect(x.item()).toBe(2);
  });

  it("ends with an exception", () => {
    expect(() =>
      noGrad(() => {
        throw new Error("mine");
      }),
    ).toThrow("mine");
    expect(leaf([1]).mul(2).requiresGrad).toBe(true);
  });
});

describe("hooks", () => {
  it("see the gradient, and may replace it", () => {
    const x = leaf([1, 2]);
    const middle = x.mul(3);
    const seen: number[][] = [];
    middle.registerHook((gradient) => {
      seen.push(gradient.toArray());
      return gradient.mul(10);
    });
    x.registerHook((gradient) => {
      seen.push(gradient.toArray());
      return undefined;
    });
    middle.sum().backward();
    expect(seen).toEqual([
      [1, 1],
      [30, 30],
    ]);
    expect(x.grad?.toArray()).toEqual([30, 30]);
  });

  it("are called until they are removed", () => {
    const x = leaf([1]);
    let calls = 0;
    const remove = x.registerHook(() => {
      calls++;
      return undefined;
    });
    x.sum().backward();
    remove();
    x.sum().backward();
    expect(calls).toBe(1);
    remove();
  });

  it("let their own error through, and leave everything usable", () => {
    const x = leaf([1]);
    const before = memoryStatistics().liveTensors;
    const remove = x.registerHook(() => {
      throw new RangeError("from the hook");
    });
    expect(() => scope(() => x.square().sum().backward())).toThrow(new RangeError("from the hook"));
    expect(memoryStatistics().liveTensors).toBe(before);
    remove();
    x.sum().backward();
    expect(x.grad?.toArray()).toEqual([1]);
  });

  it("own the tensors made in them for one call", () => {
    const x = leaf([1, 2]);
    let escaped: Tensor | undefined;
    x.registerHook((gradient) => {
      escaped = gradient.add(1);
      return undefined;
    });
    const before = memoryStatistics().liveTensors;
    scope(() => x.sum().backward());
    expect(escaped?.isLive).toBe(false);
    expect(memoryStatistics().liveTensors).toBe(before);
  });

  it("may run a backward pass of their own", () => {
    const x = leaf([3]);
    const other = leaf([2]);
    x.registerHook((gradient) => {
      enableGrad(() => other.square().sum()).backward();
      return gradient;
    });
    x.sum().backward();
    expect([x.grad?.item(), other.grad?.item()]).toEqual([1, 4]);
  });

  it("are refused for tensors without gradient, and their replacement must fit", () => {
    expect(() => zeros([1]).registerHook(() => undefined)).toThrow(/must require a gradient/);
    const x = leaf([1]);
    x.registerHook(() => ones([7]));
    expect(() => x.sum().backward()).toThrow(TorchError);
  });
});

describe("noGrad and enableGrad", () => {
  it("refuse promises, whose work would go on without them", () => {
    for (const mode of [noGrad, enableGrad])
      expect(() => mode(async () => ones([1]))).toThrow(/must be synchronous, but returns a promise/);
    expect(leaf([1]).mul(2).requiresGrad).toBe(true);
  });
});
