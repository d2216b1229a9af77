import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../packages/libtorch/setup/fixtures.mjs";
import { failedFiles, formatTotals, readTotals, withSecondRun } from "./test.mjs";

/** @param {object[]} testResults */
function report(testResults, { passed = 3, failed = 0, pending = 0, todo = 0 } = {}) {
  const file = join(temporaryFolder(), "report.json");
  writeFileSync(
    file,
    JSON.stringify({
      numPassedTests: passed,
      numFailedTests: failed,
      numPendingTests: pending,
      numTodoTests: todo,
      testResults,
    }),
  );
  return file;
}

const fine = { status: "passed", assertionResults: [{ status: "passed" }] };

test("totals of a run", () => {
  expect(formatTotals(readTotals(report([fine]), 0))).toBe("3 passed, 0 failed");
  expect(formatTotals(readTotals(report([fine], { pending: 1, todo: 1 }), 0))).toBe(
    "3 passed, 0 failed, 2 skipped",
  );
  const failing = { status: "failed", assertionResults: [{ status: "passed" }, { status: "failed" }] };
  expect(formatTotals(readTotals(report([fine, failing], { failed: 1 }), 1))).toBe("3 passed, 1 failed");
});

test("a file that does not load, an error outside the tests and a run without a report are failures", () => {
  expect(readTotals(report([fine, { status: "failed", assertionResults: [] }]), 1).failed).toBe(1);
  expect(readTotals(report([fine]), 1).failed).toBe(1);
  expect(readTotals("/nonexistent/report.json", 139)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("what failed is run again, and fails where it does so again", () => {
  const file = report([
    { ...fine, name: "/a.test.ts" },
    { status: "failed", assertionResults: [], name: "/b.test.ts" },
  ]);
  expect(failedFiles(file)).toEqual(["/b.test.ts"]);
  expect(failedFiles("/nonexistent/report.json")).toEqual([]);
  const first = { passed: 10, failed: 2, skipped: 1 };
  const healed = { passed: 3, failed: 0, skipped: 0 };
  expect(withSecondRun(first, healed)).toEqual({ passed: 12, failed: 0, skipped: 1 });
  expect(withSecondRun(first, { passed: 2, failed: 1, skipped: 0 })).toEqual({
    passed: 11,
    failed: 1,
    skipped: 1,
  });
  expect(withSecondRun(first, { passed: 0, failed: 3, skipped: 0 })).toEqual(first);
});
