import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { RunDescription } from "../run-description.js";
import { runFile } from "./run-file.js";

it("says what the run is while it runs, and how it ended", async () => {
  const directory = mkdtempSync(join(tmpdir(), "run-"));
  const read = (): unknown => JSON.parse(readFileSync(join(directory, "run.json"), "utf8"));
  const file = runFile(directory);
  file.planned(100);
  await file.begin({ name: "one", id: "abcdefgh" } as RunDescription);
  expect(read()).toEqual({ name: "one", id: "abcdefgh", state: "running", pid: process.pid, steps: 100 });
  file.end({ state: "failed", reason: "The loss must be finite." });
  await file.close();
  expect(read()).toMatchObject({
    state: "failed",
    reason: "The loss must be finite.",
    ended: expect.any(Number),
  });
  expect(readdirSync(directory)).toEqual(["run.json"]);
  rmSync(directory, { recursive: true });
});

it("leaves nothing of a run that never began", async () => {
  const directory = mkdtempSync(join(tmpdir(), "run-"));
  const file = runFile(directory);
  file.end({ state: "failed" });
  await file.close();
  expect(readdirSync(directory)).toEqual([]);
  rmSync(directory, { recursive: true });
});
