import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TINY_MODEL, writeToneCorpus } from "./tone-corpus.js";

// Real processes, really interrupted and really killed; they run the compiled program.

const program = fileURLToPath(new URL("../bin/wav2vec2.js", import.meta.url));
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "interruption-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 30, dev: 3 });
  const recipe = {
    model: TINY_MODEL,
    data: { batch_seconds: 4 },
    threads: 1,
    logging_steps: 1,
    save_steps: 10,
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function start(output: string, ...options: string[]): ChildProcess {
  const args = ["finetune", "--config", "recipe.yaml", "--data", "corpus", "--output", output, ...options];
  return spawn(process.execPath, [program, ...args], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once("exit", resolve));

function steps(output: string): number[] {
  const path = join(directory, output, "metrics.jsonl");
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line)).flatMap((row) => ("loss" in row ? row.step : []));
}

async function reached(output: string, step: number): Promise<void> {
  while ((steps(output).at(-1) ?? 0) < step) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("a training process", () => {
  it("saves and exits with 130 at Ctrl+C, and goes on where it stopped", { timeout: 120_000 }, async () => {
    const child = start("interrupted");
    const exit = ended(child);
    await reached("interrupted", 5);
    child.kill("SIGINT");
    expect(await exit).toBe(130);
    const last = steps("interrupted").at(-1)!;
    expect(readdirSync(join(directory, "interrupted/checkpoints"))).toContain(`step-${last}`);
    expect(await ended(start("interrupted", "--resume", "--max-steps", String(last + 3)))).toBe(0);
    expect(steps("interrupted")).toEqual(Array.from({ length: last + 3 }, (_, i) => i + 1));
  });

  it("leaves complete checkpoints when it is killed, and repeats only what is behind them", {
    timeout: 120_000,
  }, async () => {
    const child = start("killed");
    const exit = ended(child);
    await reached("killed", 24);
    child.kill("SIGKILL");
    await exit;
    const last = steps("killed").at(-1)!;
    for (const name of readdirSync(join(directory, "killed/checkpoints")).filter((entry) =>
      /^step-\d+$/.test(entry),
    )) {
      const files = readdirSync(join(directory, "killed/checkpoints", name)).sort();
      expect(files).toEqual([
        "manifest.json",
        "model.safetensors",
        "optimizer.safetensors",
        "progress.json",
        "random.safetensors",
      ]);
    }
    expect(await ended(start("killed", "--resume", "--max-steps", String(last + 2)))).toBe(0);
    expect(steps("killed")).toEqual(Array.from({ length: last + 2 }, (_, i) => i + 1));
  });

  it("goes on where nobody reads any more what it says", { timeout: 120_000 }, async () => {
    const child = start("unread", "--max-steps", "30");
    child.stderr!.destroy();
    expect(await ended(child)).toBe(0);
    expect(steps("unread").at(-1)).toBe(30);
  });
});
