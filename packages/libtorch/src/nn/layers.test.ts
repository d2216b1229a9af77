import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { arange, ones, randn } from "../operators/operators.generated.js";
import { manualSeed } from "../runtime.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  activation,
  attention,
  attentionWithWeights,
  Conv1d,
  Dropout,
  Embedding,
  GroupNorm,
  init,
  LayerNorm,
  Linear,
  Module,
  WeightNorm,
} from "./index.js";

interface GoldenLayer {
  input: number[];
  inputShape: number[];
  parameters: Record<string, number[]>;
  output: number[];
  outputShape: number[];
  inputGradient: number[] | null;
  gradients: Record<string, number[]>;
}

// Made by test/golden.py with PyTorch.
const golden = JSON.parse(readFileSync(new URL("../../test/golden.json", import.meta.url), "utf8"));

function expectClose(actual: Tensor | undefined, expected: number[]): void {
  const values = actual!.toArray();
  expect(values.length).toBe(expected.length);
  const scale = Math.max(...expected.map(Math.abs));
  for (const [i, value] of values.entries())
    expect(Math.abs(value - expected[i]!)).toBeLessThan(2e-6 * scale);
}

interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

class GELU extends Module {
  forward(x: Tensor): Tensor {
    return activation("gelu")(x);
  }
}

describe("layers are PyTorch's, forward and backward", () => {
  it.each<[string, () => Layer]>([
    ["linear", () => new Linear(3, 4)],
    ["linearWithoutBias", () => new Linear(3, 2, { bias: false })],
    ["conv1d", () => new Conv1d(2, 3, 3, { stride: 2, padding: 1 })],
    ["conv1dGrouped", () => new Conv1d(4, 4, 2, { groups: 2, bias: false })],
    ["layerNorm", () => new LayerNorm(4)],
    ["groupNorm", () => new GroupNorm(2, 4)],
    ["embedding", () => new Embedding(5, 3)],
    ["gelu", () => new GELU()],
  ])("%s", (name, make) => {
    const expected = golden[name] as GoldenLayer;
    const layer = make();
    const parameters = Object.fromEntries(layer.namedParameters());
    expect(Object.keys(parameters)).toEqual(Object.keys(expected.parameters));
    for (const [key, parameter] of Object.entries(parameters)) {
      noGrad(() => parameter.copy_(tensor(expected.parameters[key]!, parameter.shape)));
    }
    const input = tensor(expected.input, expected.inputShape, {
      dtype: expected.inputGradient ? "float32" : "int64",
      requiresGrad: expected.inputGradient !== null,
    });
    const output = layer.forward(input);
    expect(output.shape).toEqual(expected.outputShape);
    expectClose(output, expected.output);
    const ramp = arange(0, output.numel, 1, { dtype: "float32" }).reshape(output.shape).div(output.numel);
    output.mul(ramp).sum().backward();
    if (expected.inputGradient) expectClose(input.grad, expected.inputGradient);
    for (const [key, parameter] of Object.entries(parameters))
      expectClose(parameter.grad, expected.gradients[key]!);
  });
});

describe("WeightNorm", () => {
  const weight = () => tensor(golden.weightNorm.weight, [6, 2, 3]);

  it("splits as PyTorch's parametrization", () => {
    const norm = new WeightNorm(weight(), 2);
    expect(norm.original0.shape).toEqual(golden.weightNorm.original0Shape);
    expectClose(norm.original0, golden.weightNorm.original0);
    expectClose(norm.original1, golden.weightNorm.original1);
  });

  it.each([0, 1, 2])("reproduces its weight, dimension %d", (dim) => {
    const norm = new WeightNorm(weight(), dim);
    expectClose(norm.forward(), golden.weightNorm.weight);
    noGrad(() => norm.original0.mul_(2));
    expectClose(norm.forward().div(2), golden.weightNorm.weight);
  });

  it("trains both parts, and direction gradients are orthogonal to it", () => {
    const norm = new WeightNorm(weight(), 2);
    norm.forward().square().sum().backward();
    expect(norm.original0.grad?.shape).toEqual([1, 1, 3]);
    expect(Math.abs(norm.original1.grad!.mul(norm.original1).sum().item())).toBeLessThan(1e-5);
  });
});

describe("Dropout", () => {
  it("acts in training only, and keeps the mean", () => {
    manualSeed(0);
    const layer = new Dropout(0.25);
    const x = ones([10_000]);
    const y = layer.forward(x);
    expect(new Set(y.toArray().map((value) => value.toFixed(4)))).toEqual(new Set(["0.0000", "1.3333"]));
    expect(y.mean().item()).toBeCloseTo(1, 1);
    expect(layer.eval().forward(x)).toBe(x);
    expect(new Dropout(0).forward(x)).toBe(x);
  });
});

describe("activations", () => {
  it("are the functions they are named after", () => {
    const points = [-3, -0.5, 0, 0.7, 4];
    const values = (name: "relu" | "silu" | "gelu_new") => activation(name)(tensor(points));
    expectClose(
      values("relu"),
      points.map((x) => Math.max(x, 0)),
    );
    expectClose(
      values("silu"),
      points.map((x) => x / (1 + Math.exp(-x))),
    );
    expectClose(
      values("gelu_new"),
      points.map((x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))),
    );
  });
});

describe("attention", () => {
  const [query, key, value] = [0, 1, 2].map((seed) => {
    manualSeed(seed);
    return randn([2, 3, 5, 4]);
  }) as [Tensor, Tensor, Tensor];

  it("is softmax(Q K^T / sqrt(size)) V", () => {
    const expected = query.matmul(key.transpose(-2, -1)).div(2).softmax(-1).matmul(value);
    expectClose(attention(query, key, value, undefined, 0), expected.toArray());
  });

  it("shows its weights on request, and attends alike", () => {
    const mask = tensor([1, 1, 1, 1, 0, 1, 1, 0, 0, 0], [2, 1, 1, 5], { dtype: "bool" });
    const { attended, weights } = attentionWithWeights(query, key, value, mask, 0);
    expectClose(attended, attention(query, key, value, mask, 0).toArray());
    expectClose(weights.sum([-1]), Array<number>(2 * 3 * 5).fill(1));
    expect(weights.select(0, 1).narrow(2, 2, 3).amax().item()).toBe(0);
  });

  it("does not attend to masked positions, and attends to all alike where all are masked", () => {
    const mask = tensor([1, 1, 0, 0, 0, 0, 0, 0, 0, 0], [2, 1, 1, 5], { dtype: "bool" });
    const result = attention(query, key, value, mask, 0);
    const short = attention(query, key.narrow(2, 0, 2), value.narrow(2, 0, 2), undefined, 0);
    expectClose(result.narrow(0, 0, 1), short.narrow(0, 0, 1).toArray());
    const mean = value.mean(2, true).expand(value.shape);
    expectClose(result.narrow(0, 1, 1), mean.narrow(0, 1, 1).toArray());
  });
});

describe("init", () => {
  it("draws from the distributions it names", () => {
    manualSeed(0);
    const spread = (x: Tensor) => x.variance().sqrt().item();
    expect(spread(init.normal([10_000], 0.02))).toBeCloseTo(0.02, 3);
    expect(init.normal([10_000], 0.02, 5).mean().item()).toBeCloseTo(5, 2);
    expect(spread(init.kaimingNormal([10_000], 50))).toBeCloseTo(0.2, 2);
    const uniform = init.fanInUniform([10_000], 16);
    expect(uniform.abs().amax().item()).toBeLessThanOrEqual(0.25);
    expect(spread(uniform)).toBeCloseTo(0.25 / Math.sqrt(3), 2);
    expect([init.full([2], 3).dtype, init.full([2], 3).toArray()]).toEqual(["float32", [3, 3]]);
  });
});
