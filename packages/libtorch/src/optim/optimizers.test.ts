import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { noGrad } from "../autograd.js";
import { TorchError } from "../errors.js";
import { parameter } from "../nn/parameter.js";
import { full, ones, zeros } from "../operators/operators.generated.js";
import { type Tensor, tensor } from "../tensors/tensor.js";
import {
  Adam,
  type AdamOptions,
  AdamW,
  Optimizer,
  type ParameterUpdate,
  SGD,
  type SGDOptions,
} from "./index.js";

interface Run {
  optimizer: "SGD" | "Adam" | "AdamW";
  options: Record<string, unknown>;
  after: number[][][];
}
// Made by reference/golden_optimizers.py with PyTorch.
const golden: { start: number[][]; gradients: (number[] | null)[][]; runs: Run[] } = JSON.parse(
  readFileSync(new URL("../../test/optimizers.json", import.meta.url), "utf8"),
);
const SHAPES = [[2, 3], [3], [2]];
const CLASSES = { SGD, Adam, AdamW };

function make({ optimizer, options }: Run) {
  const parameters = golden.start.map((values, i) => parameter(tensor(values, SHAPES[i])));
  const [a, b, c] = parameters as [Tensor, Tensor, Tensor];
  const { weight_decay: weightDecay, ...others } = options;
  const made = new CLASSES[optimizer](
    [{ parameters: [a, c] }, { parameters: [b], weightDecay: 0.3, learningRateScale: 0.5 }],
    { learningRate: 0.1, ...others, ...(weightDecay === undefined ? {} : { weightDecay }) } as AdamOptions &
      SGDOptions,
  );
  const step = (i: number, skip?: Tensor) => {
    for (const [j, values] of golden.gradients[i]!.entries())
      parameters[j]!.grad = values ? tensor(values, SHAPES[j]) : undefined;
    made.learningRate = 0.1 * (1 - i / 10);
    made.step(skip);
  };
  return { parameters, optimizer: made, step };
}

const bytes = (tensors: readonly (Tensor | undefined)[]) =>
  tensors.map((each) => each && Buffer.from(each.toBytes()).toString("hex"));
const momentsOf = (optimizer: Optimizer) => Object.values(optimizer.state().moments).flat();
const runs = golden.runs.map((run) => [`${run.optimizer} ${JSON.stringify(run.options)}`, run] as const);

describe.each(runs)("%s", (_, run) => {
  it("takes PyTorch's steps", () => {
    const { parameters, step } = make(run);
    for (const [i, after] of run.after.entries()) {
      step(i);
      for (const [j, expected] of after.entries())
        for (const [k, value] of parameters[j]!.toArray().entries())
          expect(Math.abs(value - expected[k]!)).toBeLessThan(2e-6);
    }
  });

  it("takes the same to the last bit where it might have skipped them", () => {
    const [plain, asked] = [make(run), make(run)];
    for (const i of golden.gradients.keys()) {
      plain.step(i);
      asked.step(i, zeros([], { dtype: "bool" }));
      expect(bytes(asked.parameters)).toEqual(bytes(plain.parameters));
    }
  });

  it("leaves weights and moments as they are where a step is skipped, whatever its gradients", () => {
    const { parameters, optimizer, step } = make(run);
    for (let i = 0; i < 3; i++) step(i);
    const before = bytes([...parameters, ...momentsOf(optimizer)]);
    for (const broken of [Number.NaN, Number.POSITIVE_INFINITY, 1e38]) {
      for (const each of parameters) each.grad = full(each.shape, broken);
      optimizer.step(ones([], { dtype: "bool" }));
      expect(bytes([...parameters, ...momentsOf(optimizer)])).toEqual(before);
    }
  });

  it("goes on from a copy of its state to the last bit", () => {
    const [whole, first, second] = [make(run), make(run), make(run)];
    for (const i of golden.gradients.keys()) whole.step(i);
    for (let i = 0; i < 3; i++) first.step(i);
    second.optimizer.loadState(first.optimizer.state());
    for (const [j, values] of first.parameters.entries()) noGrad(() => second.parameters[j]!.copy_(values));
    first.step(3); // of which the copy knows nothing
    for (let i = 3; i < golden.gradients.length; i++) second.step(i);
    expect(bytes(second.parameters)).toEqual(bytes(whole.parameters));
    expect(bytes(momentsOf(second.optimizer))).toEqual(bytes(momentsOf(whole.optimizer)));
  });
});

describe("Optimizer", () => {
  const weight = () => parameter(tensor([1, 2]));

  it("refuses the state of another kind, and changes nothing then", () => {
    const state = (made: Optimizer) => {
      for (const each of made.parameters) each.grad = ones(each.shape);
      made.step();
      return made.state();
    };
    const options = { learningRate: 0.1 };
    const adam = new Adam([weight()], options);
    const refused: [Optimizer, RegExp][] = [
      [
        new SGD([weight()], { ...options, momentum: 0.9 }),
        /^Adam: the state must be one of Adam, but is one of SGD$/,
      ],
      [new AdamW([weight()], options), /but is one of AdamW/],
      [
        new Adam([weight()], { ...options, amsgrad: true }),
        /exp_avg, exp_avg_sq .* holds max_exp_avg_sq too/,
      ],
      [
        new Adam([parameter(tensor([1]))], options),
        /exp_avg of parameter 0 must have the shape \[2\], but has \[1\]/,
      ],
      [new Adam([weight(), weight()], options), /must hold 1 parameters, but holds 2/],
    ];
    const before = adam.state();
    for (const [other, message] of refused) {
      expect(() => adam.loadState(state(other))).toThrow(message);
      expect(adam.state()).toEqual(before);
    }
    const amsgrad = new Adam([weight()], { ...options, amsgrad: true });
    expect(() => amsgrad.loadState(state(adam))).toThrow(
      /must hold max_exp_avg_sq of parameter 0, but does not/,
    );
  });

  // What plain JavaScript may write.
  const unchecked = (made: new (parameters: never, options: never) => Optimizer) =>
    made as unknown as new (
      parameters: unknown,
      options: unknown,
    ) => Optimizer;
  it.each<[unknown, unknown, RegExp]>([
    [[weight()], { lr: 0.1 }, /one is 'lr'\. Write 'learningRate'/],
    [[weight()], { learningRate: 0.1, weight_decay: 0.1 }, /'weight_decay'\. Write 'weightDecay'/],
    [[weight()], { learningRate: 0.1, nonsense: 1 }, /one is 'nonsense'\. Remove it/],
    [[weight()], {}, /'learningRate' must be given/],
    [[weight()], undefined, /options must be an object such as \{ learningRate: … \}, but is undefined/],
    [[weight()], 0.1, /options must be an object/],
    [
      [weight()],
      { learningRate: "0.1" },
      /'learningRate' must be a number of \[0, Infinity\), but is '0\.1'/,
    ],
    [[weight()], { learningRate: Number.NaN }, /but is NaN/],
    [[weight()], { learningRate: 0.1, betas: 0.9 }, /'betas' must be two numbers, but is 0\.9/],
    [
      [weight()],
      { learningRate: 0.1, betas: [0.9, 1] },
      /'betas\[1\]' must be a number of \[0, 1\), but is 1/,
    ],
    [undefined, { learningRate: 0.1 }, /'parameters' must be an array .* but is undefined/],
    [{ weight: weight() }, { learningRate: 0.1 }, /must be an array .* but is an object/],
    [[1], { learningRate: 0.1 }, /parameters\[0\] must be a Tensor or a group, but is 1/],
    [[{ params: [weight()] }], { learningRate: 0.1 }, /'params'\. Write 'parameters'/],
    [[{ parameters: [weight()], lr: 1 }], { learningRate: 0.1 }, /'lr'\. Write 'learningRateScale'/],
    [[{ parameters: [1] }], { learningRate: 0.1 }, /'parameters\[0\]' must be a Tensor/],
  ])("refuses %j and %j", (parameters, options, message) => {
    const error = (() => {
      try {
        return new (unchecked(AdamW))(parameters, options);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(TorchError);
    expect((error as TorchError).message).toMatch(message);
    expect((error as TorchError).code).toBe("ERR_TORCH_ARGUMENT");
  });

  it("refuses a parameter that is there twice, and a learning rate that is no number", () => {
    const twice = weight();
    expect(() => new SGD([twice, twice], { learningRate: 1 })).toThrow(/must hold each Tensor once/);
    const sgd = new SGD([weight()], { learningRate: 1 });
    expect(() => {
      sgd.learningRate = Number.NaN;
    }).toThrow(/'learningRate' must be .* but is NaN/);
    expect(sgd.learningRate).toBe(1);
    expect(() => new SGD([twice], { learningRate: 1, nesterov: true })).toThrow(/momentum above 0/);
  });

  it("is the base of optimisers of one's own", () => {
    class SignDescent extends Optimizer {
      readonly name = "SignDescent";
      readonly momentNames = [];
      protected update({ parameter: values, gradient, learningRate }: ParameterUpdate): void {
        values.sub_(gradient.div(gradient.abs()), { alpha: learningRate });
      }
    }
    const values = weight();
    const optimizer = new SignDescent([values], { learningRate: 0.5 });
    values.grad = tensor([3, -4]);
    optimizer.step();
    expect(values.toArray()).toEqual([0.5, 2.5]);
    expect(optimizer.state()).toEqual({ name: "SignDescent", steps: [1], moments: {} });
  });
});
