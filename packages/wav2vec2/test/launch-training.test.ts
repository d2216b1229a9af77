import { existsSync, readdirSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { LaunchFixture, log } from "./launch-fixture.js";
import { TINY_MODEL, writeToneCorpus } from "./tone-corpus.js";

// Training that the launcher really starts, kills and starts anew.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
  await writeToneCorpus(join(fixture.directory, "corpus"), { train: 30, dev: 3 });
  const recipe = {
    model: TINY_MODEL,
    data: { batch_seconds: 4, root: "corpus" },
    threads: 1,
    logging_steps: 1,
    save_steps: 5,
  };
  await writeFile(join(fixture.directory, "recipe.yaml"), JSON.stringify(recipe));
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

function steps(output: string): number[] {
  const path = join(fixture.directory, output, "metrics.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line)).flatMap((row) => ("loss" in row ? row.step : []));
}

function hasCheckpoint(output: string): boolean {
  const path = join(fixture.directory, output, "checkpoints");
  return existsSync(path) && readdirSync(path).some((name) => /^step-\d+$/.test(name));
}

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
      while (!hasCheckpoint(output)) await sleep(20);
      process.kill(childrenOf(child.pid!).at(-1)!, "SIGKILL");
      const { code, stderr } = await ended;
      expect(stderr).toMatch(new RegExp(`^Rank ${processes - 1} failed first .*: it was ended by SIGKILL`));
      expect(stderr).toContain("Starting anew, 1 of at most 2 times.\n");
      expect(code).toBe(0);
      expect(steps(output)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
      expect(log(logs, 0, "stdout", 1)).toContain(`${output}/best`);
    },
  );
});
