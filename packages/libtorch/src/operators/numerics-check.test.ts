import { describe, expect, it } from "vitest";
import { NOT_NUMERIC, SAMPLES, type Sample } from "../numerics-samples/index.js";
import { manualSeed, randomState } from "../runtime.js";
import type { Tensor } from "../tensors/tensor.js";
import { checkSamples, numericsCheck } from "./numerics-check.js";
import { OPERATORS, randn } from "./operators.generated.js";

const broken = (run: Sample["run"]): Sample => ({
  operator: "exp",
  inputs: () => [randn([3, 17], { dtype: "float64" })],
  run,
});

// The whole check calculates for half a minute, more on a busy machine.
describe("numerics check", { timeout: 600_000 }, () => {
  it("finds nothing wrong with this libtorch and its workarounds", () => {
    const report = numericsCheck();
    expect(report.faults).toEqual([]);
    expect(report.checks).toBeGreaterThan(10_000);
  });

  it("covers every operator of the allow-list, and names no other", () => {
    const covered = new Set([...SAMPLES.map((sample) => sample.operator), ...NOT_NUMERIC]);
    expect(OPERATORS.filter((operator) => !covered.has(operator))).toEqual([]);
    expect([...covered].filter((operator) => !OPERATORS.includes(operator))).toEqual([]);
    expect(NOT_NUMERIC.filter((operator) => SAMPLES.some((sample) => sample.operator === operator))).toEqual(
      [],
    );
  });

  it("finds a result that is wrong only for non-contiguous inputs", () => {
    const wrong = (x: Tensor) => (x.isContiguous ? x.exp() : x.exp().mul(1.001));
    const [fault] = checkSamples([broken(wrong)]).faults;
    expect(fault?.operator).toBe("exp");
    expect(fault?.message).toMatch(
      /of float32 \[3, 17\] (transposed|reversed|sliced).* must be within 0.00002/,
    );
  });

  it("finds a gradient that is wrong only for non-contiguous incoming gradients", () => {
    const wrong = (x: Tensor) => {
      const y = x.exp();
      y.registerHook((gradient) => (gradient.isContiguous ? undefined : gradient.mul(1.05)));
      return y;
    };
    const [fault] = checkSamples([broken(wrong)]).faults;
    expect(fault?.message).toMatch(
      /^the gradient of input 0 of float32 .* incoming gradient \w+, must be within/,
    );
  });

  it("finds what is wrong in bfloat16 alone, and what is not a number", () => {
    const imprecise = (x: Tensor) => (x.dtype === "bfloat16" ? x.exp().mul(1.05) : x.exp());
    expect(checkSamples([broken(imprecise)]).faults[0]?.message).toContain("bfloat16");
    const undefinedInFloat32 = (x: Tensor) => (x.dtype === "float32" ? x.sub(x).div(x.sub(x)) : x);
    expect(checkSamples([broken(undefinedInFloat32)]).faults[0]?.message).toContain("off by Infinity");
  });

  it("reports an operator that fails, and takes a missing kernel for no fault", () => {
    const fails = () => {
      throw new Error("broken kernel");
    };
    expect(checkSamples([broken(fails)]).faults).toEqual([{ operator: "exp", message: "broken kernel" }]);
    const missing = () => {
      throw new Error("\"exp\" not implemented for 'BFloat16'");
    };
    expect(checkSamples([broken(missing)]).faults).toEqual([]);
  });

  it("leaves the random state as it was", () => {
    manualSeed(7);
    const before = randomState().toArray();
    checkSamples([broken((x: Tensor) => x.exp())]);
    expect(randomState().toArray()).toEqual(before);
  });
});
