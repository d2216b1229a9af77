import { describe, expect, it } from "vitest";
import { autocast } from "./autocast.js";
import { enableGrad, grad, noGrad } from "./autograd.js";
import { checkpoint } from "./checkpoint.js";
import { argumentError } from "./errors.js";
import { dropout, linear, ones, randn } from "./operators/operators.generated.js";
import { manualSeed, memoryStatistics, randomState, releaseMemory } from "./runtime.js";
import { scope } from "./tensors/handles.js";
import { type Tensor, tensor } from "./tensors/tensor.js";

const leaf = (values: number[]) => tensor(values, [values.length], { requiresGrad: true });

function weights(...shape: number[]): Tensor {
  const made = randn(shape);
  made.requiresGrad = true;
  return made;
}

type Run = (body: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]) => Tensor;
const plain: Run = (body, ...inputs) => body(...inputs);

/** Three blocks with dropout, their gradients as bytes, and the random numbers' state behind each pass. */
function threeBlocks(run: Run, precision?: "bfloat16", backwardInside = false) {
  manualSeed(7);
  const parameters = [0, 1, 2].map(() => weights(6, 6));
  const bias = weights(6); // used by every block
  const input = weights(4, 6);
  const scaled = randn([4, 6]);
  const block = (weight: Tensor) => (x: Tensor, factor: Tensor) =>
    dropout(linear(x, weight).add(bias).tanh(), 0.3, true).add(x).mul(factor);
  const states: Uint8Array[] = [];
  scope(() => {
    const forward = () => {
      let state = input.mul(1);
      for (const weight of parameters) state = run(block(weight), state, scaled);
      return state.square().sum();
    };
    const backward = (loss: Tensor) => {
      states.push(loss.toBytes(), randomState().toBytes());
      loss.backward();
      states.push(randomState().toBytes());
    };
    if (!precision) backward(forward());
    else if (backwardInside) autocast({ dtype: precision }, () => backward(forward()));
    else backward(autocast({ dtype: precision }, forward));
  });
  return [...states, ...[...parameters, bias, input].map((x) => x.grad!.toBytes())];
}

describe("checkpoint", () => {
  it("gives the loss, the gradients and the random numbers of an ordinary pass, to the last bit", () => {
    expect(threeBlocks(checkpoint)).toEqual(threeBlocks(plain));
  });

  it.each([false, true])(
    "computes again in the precision of the forward pass (backward inside: %s)",
    (inside) => {
      const reference = threeBlocks(plain, "bfloat16", inside);
      expect(threeBlocks(checkpoint, "bfloat16", inside)).toEqual(reference);
      expect(threeBlocks(plain)).not.toEqual(reference);
    },
  );

  it("calls its body twice, first without recording, each time with the random numbers of the first", () => {
    const x = leaf([1, 2, 3]);
    const seen: [boolean, string][] = [];
    const y = checkpoint((input) => {
      const noise = randn([3]);
      const product = input.mul(noise);
      seen.push([product.requiresGrad, noise.toArray().join()]);
      return product;
    }, x);
    expect(y.requiresGrad).toBe(true);
    const next = randn([1]).item();
    y.sum().backward();
    expect(seen.map(([recorded]) => recorded)).toEqual([false, true]);
    expect(seen[0]![1]).toBe(seen[1]![1]);
    expect(x.grad!.toArray().join()).toBe(seen[0]![1]);
    expect(randn([1]).item()).not.toBe(next);
  });

  it("just runs its body where nothing is recorded, and records as usual where no input requires a gradient", () => {
    const weight = leaf([2]);
    let calls = 0;
    const body = (x: Tensor) => {
      calls++;
      return x.mul(weight);
    };
    expect(noGrad(() => checkpoint(body, leaf([3]))).requiresGrad).toBe(false);
    checkpoint(body, tensor([3])).backward();
    expect([calls, weight.grad?.item()]).toEqual([2, 3]);
    noGrad(() => enableGrad(() => checkpoint(body, leaf([5])))).backward();
    expect([calls, weight.grad?.item()]).toEqual([4, 8]);
  });

  it("takes inputs without gradient, and gives none to inputs that the body leaves out", () => {
    const x = leaf([1, 2]);
    const unused = leaf([1]);
    const index = tensor([1, 0], [2], { dtype: "int64" });
    const y = scope(() => checkpoint((a, i) => a.indexSelect(0, i!).mul(3), x, index, unused));
    y.backward(tensor([1, 10]));
    expect([x.grad?.toArray(), unused.grad]).toEqual([[30, 3], undefined]);
    const other = leaf([1]);
    checkpoint(() => ones([1]), other).backward();
    expect(other.grad).toBeUndefined();
    const integer = checkpoint((a) => a.gt(1), x);
    expect([integer.requiresGrad, integer.toArray()]).toEqual([false, [0, 1]]);
  });

  it("works inside others", () => {
    const x = leaf([0.5, 1]);
    const weight = leaf([2, 3]);
    let calls = 0;
    const inner = (a: Tensor) => {
      calls++;
      return a.mul(weight).tanh();
    };
    const outer = (a: Tensor) => checkpoint(inner, checkpoint(inner, a)).exp();
    const results = [outer, (a: Tensor) => checkpoint(outer, a), (a: Tensor) => inner(inner(a)).exp()].map(
      (run) => {
        x.grad = weight.grad = undefined;
        calls = 0;
        run(x).sum().backward();
        return [calls, x.grad!.toArray(), weight.grad!.toArray()];
      },
    );
    expect(results.map(([count]) => count)).toEqual([4, 6, 2]);
    expect(results[0]!.slice(1)).toEqual(results[2]!.slice(1));
    expect(results[1]!.slice(1)).toEqual(results[2]!.slice(1));
  });

  it("gives parameters' hooks one gradient, and takes part in a gradient's way to two outputs", () => {
    const x = leaf([2]);
    const weight = leaf([3]);
    const seen: number[] = [];
    weight.registerHook((gradient) => {
      seen.push(gradient.item());
      return undefined;
    });
    const y = checkpoint((a) => a.mul(weight), x);
    y.add(y.square()).add(x).backward();
    expect([seen, x.grad!.item(), weight.grad!.item()]).toEqual([[26], 40, 26]);
  });

  it("does not mind what the body returns: its input, a parameter, a view", () => {
    const x = leaf([1, 2]);
    const weight = leaf([5, 6]);
    const same = checkpoint((a) => a, x);
    noGrad(() => same.add_(1));
    same.sum().backward();
    checkpoint(() => weight, x)
      .sum()
      .backward();
    checkpoint((a) => a.mul(2).view([2, 1]).select(1, 0), x)
      .mul_(3)
      .sum()
      .backward();
    expect([x.toArray(), x.grad!.toArray(), weight.grad!.toArray()]).toEqual([
      [1, 2],
      [7, 7],
      [1, 1],
    ]);
  });
});

describe("a checkpoint's graph", () => {
  it("is gone through once, unless it is to be retained", () => {
    const x = leaf([1, 2]);
    const loss = scope(() => checkpoint((a) => a.square().exp(), x).sum());
    loss.backward(undefined, { retainGraph: true });
    const once = x.grad!.toArray();
    loss.backward();
    expect(x.grad!.toArray()).toEqual(once.map((value) => 2 * value));
    expect(() => loss.backward()).toThrow(/second time/);
    expect(() =>
      checkpoint((a) => a.square(), x)
        .sum()
        .backward(),
    ).not.toThrow();
  });

  it("does not forget that inputs were changed in between", () => {
    const x = leaf([1, 2]);
    const middle = x.mul(2);
    const loss = checkpoint((a) => a.square(), middle).sum();
    middle.add_(1);
    expect(() => loss.backward()).toThrow(/modified by an inplace operation/);
  });

  it("refuses gradients that would leave parameters out, and gradients of gradients", () => {
    const x = leaf([1]);
    expect(() => grad([checkpoint((a) => a.square(), x)], [x])).toThrow(/must come from backward\(\)/);
    const loss = checkpoint((a) => a.square(), x);
    expect(() => loss.backward(undefined, { createGraph: true })).toThrow(/createGraph must be false/);
    expect(x.grad).toBeUndefined();
  });

  it("may be very long", () => {
    const x = leaf([1]);
    scope(() => {
      let state: Tensor = x.mul(1);
      for (let i = 0; i < 2000; i++) state = checkpoint((a) => a.add(1), state);
      state.backward();
    });
    expect(x.grad!.item()).toBe(1);
  });

  it("is refused, not fatal, where it is nested beyond libtorch's depth", () => {
    const x = leaf([1]);
    const nested = (levels: number): ((a: Tensor) => Tensor) =>
      levels === 0 ? (a) => a.mul(2) : (a) => checkpoint(nested(levels - 1), a);
    nested(50)(x).backward();
    expect(x.grad!.item()).toBe(2);
    expect(() => nested(80)(x).backward()).toThrow(/nest at most 60 checkpoints/);
    x.square().backward();
    expect(x.grad!.item()).toBe(4);
  });
});

describe("an error in a checkpoint's body", () => {
  it("arrives as it is from the forward and from the backward pass, and leaves all as it was", () => {
    const x = leaf([1]);
    const live = memoryStatistics().liveTensors;
    expect(() =>
      checkpoint(() => {
        throw new RangeError("mine");
      }, x),
    ).toThrow(new RangeError("mine"));
    let calls = 0;
    const loss = scope(() =>
      checkpoint((outer) => {
        const doubled = checkpoint((inner) => {
          randn([3]);
          if (++calls === 3) throw new RangeError("mine");
          return inner.mul(2);
        }, outer);
        return doubled.add(1);
      }, x).sum(),
    );
    const next = randomState().toBytes();
    expect(() => autocast({}, () => loss.backward())).toThrow(new RangeError("mine"));
    expect(randomState().toBytes()).toEqual(next);
    expect([x.grad, x.mul(1).requiresGrad, ones([2, 2]).mm(ones([2, 2])).dtype]).toEqual([
      undefined,
      true,
      "float32",
    ]);
    loss.dispose();
    scope(() => x.square().backward());
    expect(x.grad!.item()).toBe(2);
    expect(memoryStatistics().liveTensors - live).toBeLessThan(10);
  });

  it("is a result that is no tensor, or another one than before, or a tensor that was freed", () => {
    const x = leaf([1, 2]);
    expect(() => checkpoint(() => 3 as unknown as Tensor, x)).toThrow(
      argumentError("checkpoint", "'the result of body' must be a Tensor, but is 3"),
    );
    let length = 2;
    const loss = checkpoint((a) => a.narrow(0, 0, length--), x).sum();
    expect(() => loss.backward()).toThrow(
      /must give the same in the backward pass, Float \[2\], but gives Float \[1\]/,
    );
    const late = scope(() => {
      const factor = ones([2]);
      return checkpoint((a) => a.mul(factor), x);
    });
    expect(() => late.sum().backward()).toThrow(/was freed/);
  });
});

describe("memory", () => {
  const width = 256;
  const rows = 512;
  const bytes = rows * width * 4;

  /** Ten blocks of five tensors each. */
  function pass(run: Run, backward = true): { peak: number; kept: number } {
    const parameters = Array.from({ length: 10 }, () => weights(width, width));
    const input = weights(rows, width);
    releaseMemory();
    const start = memoryStatistics();
    let kept = 0;
    scope(() => {
      const loss = scope(() => {
        let state: Tensor = input;
        for (const weight of parameters)
          state = run((x) => linear(x, weight).exp().tanh().sigmoid().exp(), state);
        return state.sum();
      });
      kept = memoryStatistics().liveBytes - start.liveBytes;
      if (backward) loss.backward();
    });
    const { liveBytes, liveTensors, peakBytes } = memoryStatistics();
    expect(liveTensors).toBe(start.liveTensors);
    const gradients = backward ? 10 * width * width * 4 + bytes : 0;
    expect(liveBytes - start.liveBytes).toBe(gradients);
    return { peak: peakBytes - start.liveBytes, kept };
  }

  it("holds the inputs alone until the backward pass, and nothing after it", () => {
    const ordinary = pass(plain);
    const saving = pass(checkpoint);
    expect(saving.kept).toBeLessThanOrEqual(11 * bytes); // each block's output
    expect(ordinary.kept).toBeGreaterThanOrEqual(40 * bytes);
    expect(saving.peak).toBeLessThan(ordinary.peak / 2);
  });

  it("is free again where there is no backward pass", () => {
    pass(checkpoint, false);
  });
});
