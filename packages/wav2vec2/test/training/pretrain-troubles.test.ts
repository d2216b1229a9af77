import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../src/model/configuration-file.js";
import type { Tracker } from "../../src/tracking/tracker.js";
import { listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { pretrain } from "../../src/training/pretraining/pretrain.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, recorder, reproducible } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pretrain-troubles-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 30, dev: 6 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const MODEL = {
  ...TINY_MODEL,
  mask_time_prob: 0.5,
  mask_time_length: 3,
  codevector_dim: 16,
  proj_codevector_dim: 16,
  num_codevectors_per_group: 20,
};

function recipe(output: string, changes: Record<string, unknown> = {}) {
  return resolveRecipe({
    task: "pretrain",
    max_steps: 8,
    output: join(directory, output),
    data: { root: data, batch_seconds: 4 },
    model: MODEL,
    optimizer: { learning_rate: 2e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 1,
    eval_steps: 4,
    save_steps: 4,
    threads: 1,
    ...changes,
  });
}

const run = (tracker: Tracker, resume = false, signal = new AbortController().signal) => ({
  tracker,
  signal,
  resume,
});

async function progressOf(output: string): Promise<{ step: number; best?: { step: number; value: number } }> {
  const step = (await listCheckpoints(join(directory, output))).at(-1);
  return JSON.parse(
    await readFile(join(directory, output, `checkpoints/step-${step}/progress.json`), "utf8"),
  );
}

describe("pre-training", () => {
  it("interrupted in a validation does it when it goes on", async () => {
    const whole = recorder();
    await pretrain(recipe("whole"), run(whole.tracker));
    const controller = new AbortController();
    const before = recorder((step) => step === 4 && controller.abort());
    const result = await pretrain(recipe("parts"), run(before.tracker, false, controller.signal));
    expect(result).toMatchObject({ interrupted: true, steps: 4, contrastiveLoss: undefined });
    expect(before.rows.at(-1)!.step).toBe(4);
    const after = recorder();
    await pretrain(recipe("parts"), run(after.tracker, true));
    expect(reproducible([...before.rows, ...after.rows])).toEqual(reproducible(whole.rows));
    const weights = (name: string) => finalWeights(join(directory, name));
    expect(await weights("parts")).toEqual(await weights("whole"));
  });

  it("leaves a network behind whose masks are not those of pre-training", async () => {
    const { maskTimeProb, maskTimeLength } = await readConfig(join(directory, "whole/final"));
    expect([maskTimeProb, maskTimeLength]).toEqual([0.05, 10]);
  });

  it("never takes a collapsed model for the best", async () => {
    const { tracker, rows } = recorder();
    const changes = { max_steps: 60, eval_steps: 20, save_steps: 60, optimizer: { learning_rate: 0.5 } };
    const result = await pretrain(recipe("collapsed", changes), run(tracker));
    expect(result.collapsed).toBe(true);
    const validations = rows.filter((row) => "eval/loss" in row);
    const lowest = validations.reduce((best, row) => (row["eval/loss"]! < best["eval/loss"]! ? row : best));
    expect(lowest["eval/codevector_perplexity"]).toBeLessThanOrEqual(4);
    expect((await progressOf("collapsed")).best?.step).not.toBe(lowest.step);
  });

  it("goes on with a lower learning rate where it went wrong, and as another run with nothing else", async () => {
    await pretrain(recipe("mended", { max_steps: 4 }), run(recorder().tracker));
    const { tracker, notes, rows } = recorder();
    await pretrain(recipe("mended", { optimizer: { learning_rate: 1e-5 } }), run(tracker, true));
    expect(notes).toContain("The optimizer's settings are others from here on.");
    expect(rows[0]!.learning_rate).toBeLessThan(1e-5);
    await expect(
      pretrain(recipe("mended", { max_steps: 9, seed: 2 }), run(recorder().tracker, true)),
    ).rejects.toThrow(/seed must be as in/);
  });
});
