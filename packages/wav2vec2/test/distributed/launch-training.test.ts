import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { trainingFixture } from "../training/training-fixture.js";
import { rowsOf } from "../training/training-process.js";
import { type LaunchFixture, log } from "./launch-fixture.js";

// Training that the launcher really starts, kills and starts anew.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await trainingFixture({ save_steps: 5 });
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

const at = (output: string) => join(fixture.directory, output);

/** Processes that a process started. */
function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
}

describe("launch of a training", () => {
  it.each([1, 2])(
    "goes on from the last checkpoint after one of %d processes was killed",
    async (processes) => {
      const output = `run-${processes}`;
      const { child, ended, logs } = fixture.wav2vec2([
        ...["--nproc-per-node", String(processes), "--max-restarts", "2", "-r", "3"],
        ...["--", "finetune", "--config", "recipe.yaml", "--output", output, "--max-steps", "40"],
      ]);
      while ((await listCheckpoints(at(output))).length === 0) await sleep(20);
      process.kill(childrenOf(child.pid!).at(-1)!, "SIGKILL");
      const { code, stderr } = await ended;
      expect(stderr).toMatch(new RegExp(`^Rank ${processes - 1} failed first .*: it was ended by SIGKILL`));
      expect(stderr).toContain("Starting anew, 1 of at most 2 times.\n");
      expect(code).toBe(0);
      const steps = rowsOf(at(output)).flatMap((row) => ("loss" in row ? row.step : []));
      expect(steps).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(log(logs, 0, "stdout", 1)).toContain(`${output}/best`);
    },
  );
});
