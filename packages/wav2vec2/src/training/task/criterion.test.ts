import { describe, expect, it } from "vitest";
import { criterionOf } from "./criterion.js";

const better = (criterion: ReturnType<typeof criterionOf>) =>
  criterion.isBetter(0.6, { value: 0.5, step: 1 }) ? "greater" : "lower";

describe("the criterion of the best model", () => {
  it.each([
    ["accuracy", "greater"],
    ["eval_accuracy", "greater"],
    ["macro_f1", "greater"],
    ["wer", "lower"],
    ["ctc_loss", "lower"],
    ["eer", "lower"],
    ["latency", "lower"],
  ])("of %s is better where it is %s", (metric, direction) => {
    expect(better(criterionOf({}, { metric_for_best_model: metric }))).toBe(direction);
    if (!metric.startsWith("eval")) expect(better(criterionOf({ criterion: metric }))).toBe(direction);
  });

  it("goes by what is said before what the name suggests", () => {
    expect(better(criterionOf({ criterion: "accuracy", greaterIsBetter: false }))).toBe("lower");
    expect(better(criterionOf({}, { metric_for_best_model: "latency", greater_is_better: true }))).toBe(
      "greater",
    );
    expect(better(criterionOf({}, { metric_for_best_model: "accuracy", greater_is_better: false }))).toBe(
      "lower",
    );
  });
});
