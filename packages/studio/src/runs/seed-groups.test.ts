import { expect, it } from "vitest";
import { type Member, recipeDifferences, seedGroups, shortLabels } from "./seed-groups.js";

function member(id: string, recipeValues: Record<string, string>): Member {
  return { id, overview: { recipeValues } as unknown as Member["overview"] };
}

const runs = [
  member("a/seed-0", { seed: "0", output: "runs/a/seed-0", rate: "1" }),
  member("b", { seed: "0", rate: "2" }),
  member("a/seed-1", { seed: "1", output: "runs/a/seed-1", rate: "1" }),
  member("bare", {}),
  member("bare-too", {}),
];

it("runs that differ only in their seed are one", () => {
  expect(seedGroups(runs).map((group) => group.map(({ id }) => id))).toEqual([
    ["a/seed-0", "a/seed-1"],
    ["b"],
    ["bare"],
    ["bare-too"],
  ]);
});

it("recipes are told apart by the keys that differ", () => {
  expect(recipeDifferences(runs.slice(0, 2))).toEqual([
    { key: "output", values: ["runs/a/seed-0", undefined] },
    { key: "rate", values: ["1", "2"] },
  ]);
});

it("labels leave out what all have in common", () => {
  expect(shortLabels([["x/lr-1/seed-0", "x/lr-1/seed-1"], ["x/lr-2/seed-0"]])).toEqual([
    "lr-1 (2 seeds)",
    "lr-2/seed-0",
  ]);
  expect(shortLabels([["digits"], ["digits-2"]])).toEqual(["digits", "digits-2"]);
  expect(shortLabels([["0", "1"]])).toEqual(["all (2 seeds)"]);
});
