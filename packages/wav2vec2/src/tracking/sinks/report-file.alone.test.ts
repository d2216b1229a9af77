import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { writeReport } from "../report/report.js";
import { trackRun } from "../run.js";
import type { RunDescription } from "../run-description.js";
import reportFile from "./report-file.js";

vi.mock("../report/report.js", { spy: true });

/** A thread takes its time to start where others are busy. */
const WAIT = { timeout: 60_000 };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "report-file-"));
});
afterEach(() => {
  vi.mocked(writeReport).mockRestore();
  rmSync(directory, { recursive: true });
});

describe("reportFile", () => {
  const report = (): string => readFileSync(join(directory, "report.html"), "utf8");
  const sink = (note = (_text: string): void => {}) =>
    reportFile({ now: Date.now, stop() {}, working() {}, note }, { directory });
  const tracked = () => trackRun(directory, { steps: 100, resume: false, stream: { write() {} } });

  it("is written after each validation, with what is said of it, and at the end", async () => {
    const tracker = tracked();
    tracker.log({ contrastive_loss: 4 }, 10);
    await setTimeout(50);
    expect(existsSync(join(directory, "report.html"))).toBe(false);
    tracker.log({ "eval/contrastive_loss": 4 }, 20);
    tracker.note("Validation gets worse.", { step: 20, name: "memorising" });
    await vi.waitFor(() => expect(report()).toContain("<dd>20</dd>"), WAIT);
    expect(report()).toContain("<b>Step 20</b> Validation gets worse.");
    tracker.log({ contrastive_loss: 4 }, 30);
    await tracker.close?.();
    expect(report()).toContain("<dd>30</dd>");
    await tracker.close?.();
  });

  it("says at last how the run ended", async () => {
    const tracker = tracked();
    await tracker.begin({ name: "mine", began: 0, host: "node1" } as RunDescription);
    tracker.log({ "eval/contrastive_loss": 4 }, 20);
    await vi.waitFor(() => expect(report()).toContain("running"), WAIT);
    tracker.end({ state: "failed", reason: "The disk is full." });
    await tracker.close?.();
    expect(report()).toContain("<dd>failed: The disk is full.</dd>");
  });

  it("is not written where nothing was trained", async () => {
    const tracker = tracked();
    tracker.note("3 clips are left out.");
    tracker.end({ state: "failed" });
    rmSync(join(directory, "log.txt"));
    await tracker.close?.();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("has one writing at a time, of the newest state at last", async () => {
    let [now, most, all] = [0, 0, 0];
    vi.mocked(writeReport).mockImplementation(async () => {
      all++;
      most = Math.max(most, ++now);
      await setTimeout(5);
      now--;
      return "";
    });
    const tracker = await sink();
    for (let step = 0; step < 20; step++) {
      tracker.log?.({ "eval/wer": 1 }, step);
      tracker.log?.({ loss: 1 }, step);
      await setTimeout(1);
    }
    tracker.log?.({ loss: 1 }, 21);
    const before = all;
    await tracker.close?.();
    expect(most).toBe(1);
    expect(now).toBe(0);
    expect(all).toBeGreaterThan(before);
    expect(all).toBeLessThan(20);
    await tracker.close?.();
  });

  it("that cannot be written is said once", async () => {
    mkdirSync(join(directory, "report.html"));
    const said: string[] = [];
    const tracker = await sink((text) => said.push(text));
    for (const step of [10, 20]) {
      tracker.log?.({ "eval/wer": 1 }, step);
      await setTimeout(20);
    }
    await tracker.close?.();
    expect(said).toEqual([
      expect.stringMatching(/goes on without a new report: .*report.html must be a file that can be written/),
    ]);
  });
});
