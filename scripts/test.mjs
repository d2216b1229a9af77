// The tests: set-up first, then Vitest with any further arguments, and the totals alone on the last line.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { runSetup } from "./setup.mjs";

/** So few files that failed are run a second time. */
const FEW_FILES = 8;

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */

/**
 * @param {string} reportFile Vitest's JSON report
 * @param {number} exitCode Vitest's own
 * @returns {Totals} a file that does not load, and a run that dies without a report, count as one failure
 */
export function readTotals(reportFile, exitCode) {
  /** @type {Totals} */
  const totals = { passed: 0, failed: 0, skipped: 0 };
  if (existsSync(reportFile)) {
    const report = JSON.parse(readFileSync(reportFile, "utf8"));
    totals.passed = report.numPassedTests;
    totals.failed = report.numFailedTests;
    totals.skipped = report.numPendingTests + report.numTodoTests;
    for (const { status, assertionResults } of report.testResults) {
      const explained = assertionResults.some(
        (/** @type {{ status: string }} */ test) => test.status === "failed",
      );
      if (status === "failed" && !explained) totals.failed += 1;
    }
  }
  // Also errors outside any test make Vitest fail.
  if (exitCode !== 0 && totals.failed === 0) totals.failed = 1;
  return totals;
}

/** @param {Totals} totals */
export function formatTotals({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * @param {string} reportFile Vitest's JSON report
 * @returns {string[]} the files in which something failed
 */
export function failedFiles(reportFile) {
  if (!existsSync(reportFile)) return [];
  const { testResults } = JSON.parse(readFileSync(reportFile, "utf8"));
  return testResults
    .filter((/** @type {{ status: string }} */ { status }) => status === "failed")
    .map((/** @type {{ name: string }} */ { name }) => name);
}

/**
 * What a run and another one of its failed files amount to: those that failed again have failed.
 * @param {Totals} first
 * @param {Totals} again
 * @returns {Totals}
 */
export function withSecondRun(first, again) {
  const healed = Math.max(0, first.failed - again.failed);
  return { ...first, passed: first.passed + healed, failed: first.failed - healed };
}

/**
 * @param {string} root
 * @param {string} report where Vitest's JSON report goes
 * @param {string[]} args
 * @returns {Promise<Totals>}
 */
async function runVitest(root, report, args) {
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const child = spawn(process.execPath, [vitest, "run", ...reporters, ...args], {
    cwd: root,
    stdio: "inherit",
  });
  const code = await new Promise((resolve) => {
    child.once("error", () => resolve(127));
    child.once("close", (status) => resolve(status ?? 128));
  });
  return readTotals(report, code);
}

/** @param {string[]} args for Vitest */
async function main(args) {
  await runSetup();
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "wav2vec2-tests-"));
  try {
    const report = join(folder, "report.json");
    let totals = await runVitest(root, report, args);
    const failed = failedFiles(report);
    // Real processes and clocks on a busy machine: a fault fails again, also alone.
    if (failed.length > 0 && failed.length <= FEW_FILES) {
      const names = failed.map((file) => relative(root, file)).join(" ");
      process.stdout.write(`\nOnce more, alone, what failed: ${names}\n`);
      const again = await runVitest(root, join(folder, "again.json"), ["--maxWorkers=1", ...failed]);
      if (again.failed < totals.failed)
        process.stdout.write(
          `Failed among others and not alone: ${totals.failed - again.failed} of ${names}\n`,
        );
      totals = withSecondRun(totals, again);
    }
    process.stdout.write(`${formatTotals(totals)}\n`);
    process.exitCode = totals.failed > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main(process.argv.slice(2));
