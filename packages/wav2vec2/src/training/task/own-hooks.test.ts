import { nn, ones, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { withNamedHooks } from "./own-hooks.js";
import type { BatchLoss, Task, TrainingBatch } from "./task.js";
import { requireTaskMembers, TASK_MEMBERS } from "./task-members.js";

const module = new nn.Linear(2, 1);
const batch: TrainingBatch = {
  ids: ["a"],
  lengths: Int32Array.of(2),
  place: { epoch: 0, batch: 0 },
  next: { epoch: 0, batch: 1 },
};

function task(own: Record<string, unknown>): Task {
  const base = {
    module,
    data: "",
    batches: async function* () {
      yield batch;
    },
    loss: () => ({ loss: module.forward(ones([1, 2])).sum(), count: 1 }),
    metrics: () => ({}),
    evaluate: async () => ({ metrics: {}, criterion: 1 }),
    save: async () => {},
    ...own,
  };
  return withNamedHooks(base as unknown as Task, new Set(TASK_MEMBERS), () => 0);
}

const loss = (part: object) =>
  task({ loss: () => ({ loss: module.forward(ones([1, 2])).sum(), count: 1, ...part }) as BatchLoss }).loss(
    batch,
  );

describe("what a hook returns", () => {
  it("has no names that nothing reads", async () => {
    expect(() => loss({ sum: { accuracy: 1 } })).toThrow(
      "must return loss, count, sums alone, but returned sum. Did you mean sums?",
    );
    const evaluate = () =>
      task({ evaluate: async () => ({ metrics: {}, criterium: 1 }) }).evaluate(1, undefined as never);
    await expect(evaluate()).rejects.toThrow("but returned criterium. Did you mean criterion?");
  });

  it("has sums by their names", () => {
    for (const sums of [[1], tensor([1]), "x"])
      expect(() => loss({ sums })).toThrow("return sums as an object");
  });

  it("is what JSON holds, for a checkpoint", () => {
    const itself: Record<string, unknown> = {};
    itself.self = itself;
    for (const state of [{ x: 10n }, itself, new Map()])
      expect(() => task({ state: () => state, loadState: () => {} }).state!()).toThrow(
        "must be what JSON holds",
      );
  });

  it("is shown as it is: a string is no number", () => {
    expect(() => loss({ count: "2" })).toThrow('but it is "2".');
  });
});

it("a task has both state and loadState, or neither", () => {
  const whole = { ...task({}), state: () => ({}) };
  expect(() => requireTaskMembers(whole)).toThrow(
    "but has state alone: what a checkpoint held would be lost. Add loadState.",
  );
  expect(() => requireTaskMembers({ ...task({}), loadState: () => {} })).toThrow("Add state.");
});
