import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parameter } from "../../nn/parameter.js";
import { tensor } from "../../tensors/tensor.js";
import { lrScheduler, type Optimizer, SGD } from "../index.js";

const { LambdaLR, StepLR, LinearLR, CosineAnnealingLR, OneCycleLR, SequentialLR, ReduceLROnPlateau } =
  lrScheduler;
// Made by reference/golden_optimizers.py with PyTorch.
const golden: { schedules: Record<string, number[]>; metrics: (number | null)[] } = JSON.parse(
  readFileSync(new URL("../../../test/optimizers.json", import.meta.url), "utf8"),
);
const metrics = golden.metrics.map((metric) => metric ?? Number.NaN);
const sgd = () => new SGD([parameter(tensor([0]))], { learningRate: 0.1 });

/** What PyTorch and this package call the same. */
interface Schedule {
  step(metric: number): void;
  stateDict(): object;
  loadStateDict(state: never): void;
  readonly lastLearningRate: number;
}

const schedules: Record<string, (optimizer: Optimizer) => Schedule> = {
  lambda: (optimizer) => new LambdaLR(optimizer, (epoch) => 0.95 ** epoch),
  step: (optimizer) => new StepLR(optimizer, { stepSize: 4, gamma: 0.5 }),
  linear: (optimizer) => new LinearLR(optimizer),
  linearDown: (optimizer) => new LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters: 10 }),
  cosine: (optimizer) => new CosineAnnealingLR(optimizer, { tMax: 7, etaMin: 0.01 }),
  oneCycle: (optimizer) => new OneCycleLR(optimizer, { maxLearningRate: 0.5, totalSteps: 18 }),
  oneCycleThreePhase: (optimizer) =>
    new OneCycleLR(optimizer, {
      ...{ maxLearningRate: 0.5, totalSteps: 20, threePhase: true, annealStrategy: "linear" },
      ...{ pctStart: 0.4, divFactor: 10, finalDivFactor: 100 },
    }),
  sequential: (optimizer) =>
    new SequentialLR(optimizer, {
      schedulers: [
        new LinearLR(optimizer, { startFactor: 0.1, endFactor: 1, totalIters: 4 }),
        new CosineAnnealingLR(optimizer, { tMax: 9 }),
        new StepLR(optimizer, { stepSize: 2 }),
      ],
      milestones: [4, 12],
    }),
  plateau: (optimizer) => new ReduceLROnPlateau(optimizer, { patience: 2 }),
  plateauMax: (optimizer) =>
    new ReduceLROnPlateau(optimizer, {
      ...{ mode: "max", factor: 0.5, patience: 1, threshold: 0.05, thresholdMode: "abs" },
      ...{ cooldown: 2, minLearningRate: 0.02 },
    }),
};

it("knows all of the golden schedules", () => {
  expect(Object.keys(schedules)).toEqual(Object.keys(golden.schedules));
});

describe.each(Object.entries(schedules))("the schedule %s", (name, make) => {
  const expected = golden.schedules[name]!;

  it("sets PyTorch's rates", () => {
    const optimizer = sgd();
    const schedule = make(optimizer);
    for (const [i, rate] of expected.entries()) {
      expect(optimizer.learningRate).toBeCloseTo(rate, 12);
      expect(schedule.lastLearningRate).toBe(optimizer.learningRate);
      if (i < expected.length - 1) schedule.step(metrics[i]!);
    }
  });

  it("goes on from its state, through JSON", () => {
    const schedule = make(sgd());
    for (let i = 0; i < 11; i++) schedule.step(metrics[i]!);
    const optimizer = sgd();
    const second = make(optimizer);
    second.loadStateDict(JSON.parse(JSON.stringify(schedule.stateDict())) as never);
    expect(optimizer.learningRate).toBeCloseTo(expected[11]!, 12);
    for (let i = 11; i < expected.length - 1; i++) {
      second.step(metrics[i]!);
      expect(optimizer.learningRate).toBeCloseTo(expected[i + 1]!, 12);
    }
  });

  it.each([undefined, null, 1, "x", {}, { lastEpoch: -1 }])("refuses the state %j", (state) => {
    const schedule = make(sgd());
    const before = schedule.stateDict();
    expect(() => schedule.loadStateDict(state as never)).toThrow(/the state must hold/);
    expect(schedule.stateDict()).toEqual(before);
  });
});

describe("schedules", () => {
  it("refuse what they cannot follow", () => {
    const optimizer = sgd();
    const refused: [() => unknown, RegExp][] = [
      [() => new StepLR(optimizer, {} as never), /'stepSize' must be given/],
      [() => new StepLR(optimizer, { step_size: 3 } as never), /one is 'step_size'\. Write 'stepSize'/],
      [() => new StepLR({} as never, { stepSize: 3 }), /'optimizer' must be an Optimizer such as AdamW/],
      [() => new LambdaLR(optimizer, 0.9 as never), /'factor' must be a function, but is 0\.9/],
      [() => new LambdaLR(optimizer, () => Number.NaN), /the learning rate of step 0' must be .* but is NaN/],
      [() => new OneCycleLR(optimizer, { max_lr: 1 } as never), /'max_lr'\. Write 'maxLearningRate'/],
      [() => new CosineAnnealingLR(optimizer, { T_max: 3 } as never), /'T_max'\. Write 'tMax'/],
      [() => new LinearLR(optimizer, { startFactor: 0 }), /'startFactor' must be a number of \(0, 1\]/],
      [
        () =>
          new OneCycleLR(optimizer, { maxLearningRate: 1, totalSteps: 3, annealStrategy: "cosine" as never }),
        /must be 'cos' or 'linear', but is 'cosine'/,
      ],
      [
        () =>
          new SequentialLR(optimizer, {
            schedulers: [new StepLR(sgd(), { stepSize: 1 })],
            milestones: [],
          }),
        /schedulers\[0\] must be of this optimizer/,
      ],
      [
        () =>
          new SequentialLR(optimizer, {
            schedulers: [new StepLR(optimizer, { stepSize: 1 })],
            milestones: [3],
          }),
        /'milestones' must be 0 steps, one fewer than there are schedules, but is 1/,
      ],
      [() => new ReduceLROnPlateau(optimizer).step(undefined as never), /'metric' must be a number/],
    ];
    for (const [make, message] of refused) expect(make).toThrow(message);
  });

  it("end where OneCycleLR's cycle ends", () => {
    const schedule = new OneCycleLR(sgd(), { maxLearningRate: 1, totalSteps: 3 });
    for (let i = 0; i < 3; i++) schedule.step();
    expect(() => schedule.step()).toThrow(/step 4 must be one of totalSteps, but there are only 3/);
  });
});
