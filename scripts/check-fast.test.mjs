import { expect, test } from "vitest";
import { testsBeside } from "./check-fast.mjs";

test("the tests beside what changed, each once", () => {
  const files = ["a/x.ts", "a/x.test.ts", "a/y.ts", "scripts/z.mjs", "docs/a.md", "a/none.ts"];
  const there = new Set(["a/x.test.ts", "a/y.test.ts", "scripts/z.test.mjs"]);
  expect(testsBeside(files, (file) => there.has(file))).toEqual([
    "a/x.test.ts",
    "a/y.test.ts",
    "scripts/z.test.mjs",
  ]);
});
