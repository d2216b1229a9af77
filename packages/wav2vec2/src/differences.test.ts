import { expect, it } from "vitest";
import { differences, flattened, shown } from "./differences.js";

const before = { steps: 10, optimizer: { name: "adamw", betas: [0.9, 0.98] }, cache: undefined };

it("differences are told by innermost keys, lists as a whole", () => {
  expect(differences(before, structuredClone(before))).toEqual([]);
  const now = { steps: 10, optimizer: { name: "adamw", betas: [0.9, 0.999] }, cache: { path: "c" } };
  expect(differences(now, before)).toEqual([
    { key: "optimizer.betas", one: [0.9, 0.999], other: [0.9, 0.98] },
    { key: "cache", one: { path: "c" }, other: undefined },
  ]);
  expect(differences(1, 2, "steps")).toEqual([{ key: "steps", one: 1, other: 2 }]);
});

it("nested values have their innermost keys", () => {
  expect(flattened(before)).toEqual({
    ...{ steps: 10, "optimizer.name": "adamw", "optimizer.betas": [0.9, 0.98] },
    cache: undefined,
  });
});

it("what is missing is shown as not given", () => {
  expect([undefined, "a", null, [1]].map(shown)).toEqual(["not given", '"a"', "null", "[1]"]);
});
