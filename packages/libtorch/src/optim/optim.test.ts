import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { parameter } from "../nn/parameter.js";
import { full, ones, zeros } from "../operators/operators.generated.js";
import { memoryStatistics } from "../runtime.js";
import { scope } from "../tensors/handles.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import { AdamW, clipGradNorm } from "./index.js";

// Made by test/golden.py with PyTorch.
const { adamw, clip } = JSON.parse(readFileSync(new URL("../../test/golden.json", import.meta.url), "utf8"));
const SHAPES = [[2, 3], [3], [2]];

function expectClose(actual: Tensor, expected: number[]): void {
  for (const [i, value] of actual.toArray().entries())
    expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-6);
}

function make() {
  const parameters = SHAPES.map((shape, i) => parameter(tensor(adamw.start[i], shape)));
  const [a, b, c] = parameters as [Tensor, Tensor, Tensor];
  const groups = [
    { parameters: [a, c], weightDecay: 0.1 },
    { parameters: [b], weightDecay: 0, learningRateScale: 0.5 },
  ];
  const optimiser = new AdamW(groups, { learningRate: 0.01, betas: [0.9, 0.98], eps: 1e-6 });
  const step = (i: number, skip?: Tensor) => {
    for (const [j, values] of (adamw.gradients[i] as number[][]).entries()) {
      parameters[j]!.grad = tensor(values, SHAPES[j]);
    }
    optimiser.learningRate = 0.01 * (1 - i / 10);
    optimiser.step(skip);
  };
  return { parameters, optimiser, step };
}

describe("AdamW", () => {
  it("takes PyTorch's steps: groups, decay, scaled rates, a parameter without gradient", () => {
    const { parameters, optimiser, step } = make();
    expect(optimiser.parameters).toHaveLength(3);
    for (const i of adamw.gradients.keys()) {
      step(i);
      for (const [j, values] of parameters.entries()) expectClose(values, adamw.after[i][j]);
    }
    expect(parameters[2]?.toArray()).toEqual(tensor(adamw.start[2]).toArray());
  });

  it("goes on from its state to the last bit", () => {
    const whole = make();
    for (let i = 0; i < 5; i++) whole.step(i);

    const first = make();
    for (let i = 0; i < 2; i++) first.step(i);
    const second = make();
    second.optimiser.loadState(first.optimiser.state());
    for (const [j, values] of first.parameters.entries()) {
      noGrad(() => second.parameters[j]!.copy_(values));
    }
    for (let i = 2; i < 5; i++) second.step(i);
    for (const [j, values] of whole.parameters.entries()) {
      expect(second.parameters[j]!.toBytes()).toEqual(values.toBytes());
    }
  });

  it("copies the state that it loads", () => {
    const first = make();
    first.step(0);
    const second = make();
    second.optimiser.loadState(first.optimiser.state());
    const before = second.optimiser.state().moments.exp_avg![0]!.toArray();
    first.step(1);
    expect(second.optimiser.state().moments.exp_avg![0]!.toArray()).toEqual(before);
    expect(second.optimiser.state().steps[0]).toBe(1);
    expect(second.optimiser.state().moments.exp_avg![1]).toBeUndefined(); // the second of the first group
  });

  it("leaves weights and moments as they are where an update is skipped, whatever its gradients", () => {
    const { parameters, optimiser, step } = make();
    for (let i = 0; i < 2; i++) step(i);
    const moments = Object.values(optimiser.state().moments).flat();
    const values = () => [...parameters, ...moments].map((each) => each?.toBytes().toString());
    const before = values();
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, 1e38]) {
      for (const parameter of parameters) parameter.grad = full(parameter.shape, broken);
      optimiser.step(ones([], { dtype: "bool" }));
      expect(values()).toEqual(before);
    }
  });

  it("takes the same steps to the last bit where it might have skipped them", () => {
    const [plain, asked] = [make(), make()];
    for (const i of adamw.gradients.keys()) {
      plain.step(i);
      asked.step(i, zeros([], { dtype: "bool" }));
      for (const [j, values] of plain.parameters.entries())
        expect(asked.parameters[j]!.toBytes()).toEqual(values.toBytes());
    }
  });

  it("only counts the updates of what is updated elsewhere, and takes no moments for it", () => {
    const { parameters, step } = make();
    const [own, other] = parameters as [Tensor, Tensor];
    const groups = [{ parameters: [own] }, { parameters: [other], elsewhere: true }];
    const optimiser = new AdamW(groups, { learningRate: 0.01 });
    step(0); // of another optimiser, which leaves gradients
    optimiser.loadState({
      name: "AdamW",
      steps: [3, 5],
      moments: { exp_avg: [zeros([2, 3]), zeros([3])], exp_avg_sq: [zeros([2, 3]), zeros([3])] },
    });
    const before = other.toArray();
    optimiser.step();
    const { steps, moments } = optimiser.state();
    expect(steps).toEqual([4, 6]);
    expect([moments.exp_avg![1], moments.exp_avg_sq![1]]).toEqual([undefined, undefined]);
    expect(moments.exp_avg![0]!.toArray()).not.toEqual(zeros([2, 3]).toArray());
    expect(other.toArray()).toEqual(before);
  });

  it("refuses another model's state", () => {
    const state = make().optimiser.state();
    const other = new AdamW([parameter(tensor([1]))], { learningRate: 1 });
    expect(() => other.loadState(state)).toThrow("must hold 1 parameters, but holds 3");
  });

  it("keeps its moments through scopes, and leaves nothing else behind", () => {
    const weight = parameter(tensor([1, 2]));
    const optimiser = new AdamW([weight], { learningRate: 0.1 });
    const step = () =>
      scope(() => {
        weight.square().sum().backward();
        optimiser.step();
        optimiser.zeroGrad();
      });
    step();
    const { liveTensors } = memoryStatistics();
    for (let i = 0; i < 200; i++) step();
    expect(memoryStatistics().liveTensors).toBe(liveTensors);
    expect(Math.max(...weight.toArray().map(Math.abs))).toBeLessThan(0.1);
    expect(weight.grad).toBeUndefined();
  });
});

describe("clipGradNorm", () => {
  const withGradients = (gradients: number[][]) =>
    gradients.map((values, i) => {
      const weight = parameter(tensor(values, [[2, 3], [4]][i]));
      weight.grad = tensor(values, [[2, 3], [4]][i]);
      return weight;
    });

  it("is PyTorch's", () => {
    const parameters = withGradients(clip.before);
    expect(clipGradNorm(parameters, 0.5).item()).toBeCloseTo(clip.norm, 5);
    for (const [i, weight] of parameters.entries()) expectClose(weight.grad!, clip.after[i]);
  });

  it("leaves small gradients, missing gradients and infinite ones as they are", () => {
    const small = withGradients(clip.before);
    clipGradNorm(small, 1000);
    expectClose(small[0]!.grad!, clip.before[0]);
    expect(clipGradNorm([parameter(tensor([1]))], 1).item()).toBe(0);
    const infinite = withGradients([[1, 2, 3, 4, 5, Number.POSITIVE_INFINITY]]);
    expect(clipGradNorm(infinite, 1).item()).toBe(Number.POSITIVE_INFINITY);
    expect(infinite[0]!.grad!.toArray().slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
  });
});
