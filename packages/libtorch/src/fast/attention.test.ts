import { describe, expect, it } from "vitest";
import { doubles, gradientsOfGradients } from "../../test/exact.js";
import { autocast } from "../autocast.js";
import { grad, noGrad } from "../autograd.js";
import * as nn from "../nn/index.js";
import { eye, randn } from "../operators/operators.generated.js";
import { manualSeed, memoryStatistics, releaseMemory } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";

const [BATCH, HEADS, SIZE, P] = [2, 3, 16, 0.2];

function inputs(time: number): [query: Tensor, key: Tensor, value: Tensor] {
  // As projections make them: [batch, time, heads, size] in memory.
  const make = () => {
    const x = randn([BATCH, time, HEADS * SIZE])
      .view([BATCH, time, HEADS, SIZE])
      .transpose(1, 2);
    x.requiresGrad = true;
    return x;
  };
  return [make(), make(), make()];
}

/** The first clip is padded. */
function paddingMask(time: number): Tensor {
  const frames = Uint8Array.from({ length: BATCH * time }, (_, i) => Number(i >= time || i < time - 5));
  return tensor(frames, [BATCH, 1, 1, time], { dtype: "bool" });
}

const fromSeed = (...[query, key, value, mask]: [Tensor, Tensor, Tensor, Tensor | undefined]) => {
  manualSeed(5);
  return nn.attention(query, key, value, mask, P);
};

/** Which weights a call with the same seed and shape drops: with the identity for values, what comes out are the weights. */
function dropped(time: number): Tensor {
  return noGrad(() => {
    const same = randn([BATCH, HEADS, time, time]).mul(0);
    const identity = eye(time).expand([BATCH, HEADS, time, time]);
    return fromSeed(same, same, identity, undefined).eq(0);
  });
}

/** The formula in float64. */
function reference(
  [query, key, value]: readonly Tensor[],
  mask: Tensor | undefined,
  without: Tensor,
): Tensor {
  const scores = query!.matmul(key!.transpose(-2, -1)).div(Math.sqrt(SIZE));
  const shares = (mask ? scores.maskedFill(mask.logicalNot(), -1e30) : scores).softmax(-1);
  return shares
    .maskedFill(without, 0)
    .div(1 - P)
    .matmul(value!);
}

const distance = (a: Tensor, b: Tensor) => a.to({ dtype: "float64" }).sub(b).abs().amax().item();

describe("attention with dropout", () => {
  // 300 frames are two blocks of rows.
  it.each([
    [7, false],
    [40, true],
    [300, true],
  ])("is the formula and its gradient: %i frames, padding %s", (time, padded) => {
    manualSeed(1);
    const given = inputs(time);
    const mask = padded ? paddingMask(time) : undefined;
    const without = dropped(time);
    const share = without.to({ dtype: "float64" }).mean().item();
    expect(Math.abs(share - P)).toBeLessThan(5 * Math.sqrt((P * (1 - P)) / without.numel));
    const incoming = randn([BATCH, HEADS, time, SIZE]);
    const exact = doubles(given);
    const [output, expected] = [fromSeed(...given, mask), reference(exact, mask, without)];
    expect(distance(output, expected)).toBeLessThan(2e-6);
    const gradients = grad([output], given, { gradOutputs: [incoming] });
    const theirs = grad([expected], exact, { gradOutputs: [incoming.to({ dtype: "float64" })] });
    for (const [i, gradient] of gradients.entries())
      expect(distance(gradient!, theirs[i]!), "query, key, value"[i]).toBeLessThan(1e-5);
  });

  it("of bfloat16 is computed in float32, forward and backward", () => {
    manualSeed(4);
    const given = inputs(300).map((each) => each.detach().to({ dtype: "bfloat16" }));
    const wide = given.map((each) => each.to({ dtype: "float32" }));
    for (const each of [...given, ...wide]) each.requiresGrad = true;
    const mask = paddingMask(300);
    const incoming = randn([BATCH, HEADS, 300, SIZE]).to({ dtype: "bfloat16" });
    const run = ([query, key, value]: readonly Tensor[]) => {
      const output = fromSeed(query!, key!, value!, mask);
      const gradOutputs = [incoming.to({ dtype: output.dtype })];
      return [output, ...grad([output], [query!, key!, value!], { gradOutputs })] as Tensor[];
    };
    const [found, exact] = [run(given), run(wide)];
    for (const [i, each] of found.entries()) {
      expect(each.dtype).toBe("bfloat16");
      expect(each.equal(exact[i]!.to({ dtype: "bfloat16" })), "output, query, key, value"[i]).toBe(true);
    }
  });

  it("has gradients of gradients", () => {
    manualSeed(2);
    const [given, without] = [inputs(12), dropped(12)];
    const mask = paddingMask(12);
    const exact = doubles(given);
    const theirs = gradientsOfGradients(reference(exact, mask, without), exact);
    for (const [i, gradient] of gradientsOfGradients(fromSeed(...given, mask), given).entries())
      expect(distance(gradient!, theirs[i]!) / theirs[i]!.abs().amax().item()).toBeLessThan(1e-4);
  });

  it("attends to all positions alike where none is allowed", () => {
    const [query, key, value] = inputs(6);
    const nothing = tensor(new Uint8Array(BATCH * 6), [BATCH, 1, 1, 6], { dtype: "bool" });
    manualSeed(5);
    const output = nn.attention(query, key, value, nothing, 1e-9);
    expect(distance(output, value.mean([2], true).expand(value.shape).to({ dtype: "float64" }))).toBeLessThan(
      1e-6,
    );
  });

  it("holds no weights of all positions", () => {
    const time = 600;
    scope(() => {
      const [query, key, value] = inputs(time);
      releaseMemory(); // the peak is counted from here
      const before = memoryStatistics().liveBytes;
      nn.attention(query, key, value, undefined, P).sum().backward();
      const weights = 4 * BATCH * HEADS * time * time;
      expect(memoryStatistics().peakBytes - before).toBeLessThan(weights / 2);
    });
  });

  it("of numbers that are none is none, and under autocast the same in float32", () => {
    const [query, key, value] = inputs(9);
    const broken = noGrad(() => query.mul(Number.NaN));
    expect(
      noGrad(() => fromSeed(broken, key, value, undefined))
        .isnan()
        .all()
        .item(),
    ).toBe(1);
    const plain = fromSeed(query, key, value, undefined);
    const lower = autocast({ dtype: "bfloat16" }, () => fromSeed(query, key, value, undefined));
    expect(lower.toBytes()).toEqual(plain.toBytes());
  });

  it("is libtorch's for other types and shapes", () => {
    const [query, key, value] = inputs(8);
    expect(
      nn.attention(...(doubles([query, key, value]) as [Tensor, Tensor, Tensor]), undefined, P).dtype,
    ).toBe("float64");
    const mask = tensor(new Uint8Array(64).fill(1), [8, 8], { dtype: "bool" });
    expect(nn.attention(query, key, value, mask, P).shape).toEqual([BATCH, HEADS, 8, SIZE]);
  });
});
