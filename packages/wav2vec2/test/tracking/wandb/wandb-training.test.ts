import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../fixtures/temporary-directory.js";
import { TINY_MODEL, writeToneCorpus } from "../../fixtures/tone-corpus.js";
import { lastStep, TrainingProcess } from "../../training/training-process.js";
import { startServer } from "./wandb-fixture.js";

// The compiled program trains and shows it in Weights & Biases.

/** Starts runs of a small recipe in a directory of the test's own. */
async function training() {
  const directory = await temporaryDirectory("wandb-training");
  await writeToneCorpus(join(directory, "corpus"), { train: 30, dev: 3, long: 250 });
  const recipe = {
    model: TINY_MODEL,
    data: { batch_seconds: 4 },
    threads: 1,
    logging_steps: 1,
    save_steps: 10,
    eval_steps: 5,
    tracking: "wandb",
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
  return (env: NodeJS.ProcessEnv, ...args: string[]): TrainingProcess =>
    new TrainingProcess(
      directory,
      join(directory, "run"),
      ["--config", "recipe.yaml", "--data", "corpus", ...args],
      {
        env: { NETRC: "/none", WANDB_CONFIG_DIR: "/none", ...env } as Record<string, string>,
      },
    );
}

describe("training with tracking: wandb", { timeout: 180_000 }, () => {
  it("ends as at Ctrl+C where somebody presses Stop, and goes on as the same run", async () => {
    const { server, environment } = await startServer();
    const start = await training();
    const first = start(environment, "--max-steps", "100000");
    await first.until(() => server.runs.size > 0 && server.run.rows.length >= 3);
    server.run.stopped = true;
    expect(await first.ended).toBe(130);
    const last = lastStep(first.output);
    expect(first.said).toContain("Somebody pressed Stop in the run's page of Weights & Biases.");
    expect(first.said).toContain(`Interrupted after step ${last}`);
    expect([server.run.complete, server.run.exitcode]).toEqual([true, 255]);

    server.run.stopped = false;
    expect(
      await start(environment, "--resume", "--max-steps", String(last + 5), "--log-model", "final").ended,
    ).toBe(0);
    expect(server.violations).toEqual([]);
    // What a stop left out of its step, an evaluation, is a row of its own.
    const trained = server.run.rows.filter((row) => "loss" in row);
    expect(trained.map((row) => row["train/global_step"])).toEqual(
      Array.from({ length: last + 5 }, (_, index) => index + 1),
    );
    expect([server.run.complete, server.run.exitcode]).toEqual([true, 0]);
    const { id } = JSON.parse(readFileSync(join(first.output, "run.json"), "utf8")) as { id: string };
    expect(server.run.key).toBe(`team/wav2vec2/${id}`);
    expect(server.run.rows.some((row) => "eval/wer" in row && "transcripts" in row)).toBe(true);
    expect(server.run.output.join("\n")).toContain("validation WER");
    expect([...server.artifacts.all[0]!.files.keys()]).toEqual(
      expect.arrayContaining(["model.safetensors", "report.html"]),
    );
  });

  it("says that a key is wrong before it trains", async () => {
    const { environment } = await startServer();
    const start = await training();
    const run = start({ ...environment, WANDB_API_KEY: "wrong-key-123" });
    expect(await run.ended).toBe(1);
    expect(run.said).toContain("Weights & Biases must be given a valid key, but refuses this one");
    expect(run.said).not.toContain("wrong-key-123");
    expect(existsSync(join(run.output, "metrics.jsonl"))).toBe(false);
  });

  it("says that a project's name is none before it trains", async () => {
    const { environment } = await startServer();
    const start = await training();
    const run = start({ ...environment, WANDB_PROJECT: "a/b" });
    expect(await run.ended).not.toBe(0);
    expect(run.said).toContain('but "a/b" has /');
    expect(existsSync(join(run.output, "metrics.jsonl"))).toBe(false);
  });
});
