import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { planSteps } from "../../src/training/loop/batch-plan.js";
import { learningRateScale } from "../../src/training/loop/schedule.js";
import { pretrain } from "../../src/training/pretraining/pretrain.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { type Recorder, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "length-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 24, dev: 3 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(
  output: string,
  changes: Record<string, unknown>,
  { stopAt, resume = false }: { stopAt?: number; resume?: boolean } = {},
): Promise<Recorder & { steps: number }> {
  const recipe = resolveRecipe({
    output: join(directory, output),
    model: TINY_MODEL,
    optimizer: { learning_rate: 1e-3 },
    logging_steps: 1,
    eval_steps: 100,
    save_steps: 100,
    threads: 1,
    ...changes,
    data: { root: data, batch_size: 4, workers: 0, ...(changes.data as object | undefined) },
  });
  const controller = new AbortController();
  const record = recorder((step) => step === stopAt && controller.abort());
  const options = { tracker: record.tracker, signal: controller.signal, resume };
  const { steps } =
    recipe.task === "pretrain" ? await pretrain(recipe, options) : await finetune(recipe, options);
  return { ...record, steps };
}

const ratesOf = ({ rows }: Recorder) => rows.flatMap(({ learning_rate: rate }) => rate ?? []);

describe("max_epochs", () => {
  it("is the steps that its batches take, and the schedule is as long", async () => {
    const whole = await run("epochs", { max_epochs: 1.5, schedule: { warmup_ratio: 0.25 } });
    expect(whole.steps).toBe(9); // 24 clips, 4 a batch
    expect(whole.notes).toContain("As max_epochs is 1.5, max_steps is 9.");
    const schedule = { name: "linear", warmup_steps: 3 } as const;
    expect(ratesOf(whole)).toEqual(
      whole.rows.slice(0, 9).map((_, i) => 1e-3 * learningRateScale(i, schedule, 9)),
    );
    const accumulated = await run("accumulated", {
      max_epochs: 1,
      gradient_accumulation: 4,
      schedule: { warmup_steps: 0 },
    });
    expect(accumulated.steps).toBe(2);
    const pretrained = await run("pretrained", {
      task: "pretrain",
      max_epochs: 0.5,
      schedule: { warmup_steps: 1 },
      model: { ...TINY_MODEL, codevector_dim: 8, proj_codevector_dim: 8, num_negatives: 5 },
    });
    expect(pretrained.steps).toBe(3);
  });

  it("says where the time is over before the steps are done", async () => {
    const { steps, notes } = await run("minutes", { max_steps: 1000, max_minutes: 1e-9 });
    expect(steps).toBe(1);
    expect(notes).toContain("Stopped at step 1 of 1000: max_minutes (1e-9) are over.");
  });

  it("is known soon, however many clips and epochs there are", () => {
    const lengths = Array.from({ length: 300_000 }, (_, i) => ({ samples: 16_000 * (2 + (i % 15)) }));
    const stepsOf = (max_epochs: number) =>
      planSteps(resolveRecipe({ max_epochs, data: { root: "x", batch_seconds: 200 } }), lengths).max_steps;
    expect(Math.abs(stepsOf(1e9) / (1e9 * stepsOf(1)) - 1)).toBeLessThan(1e-3); // counted, they would take years
  });

  it("goes on where it was interrupted, and longer where more are wanted", async () => {
    const settings = { max_epochs: 1, schedule: { warmup_ratio: 0.2 } };
    const first = await run("interrupted", settings, { stopAt: 2 });
    const second = await run("interrupted", settings, { resume: true });
    expect(second.steps).toBe(6);
    expect([...ratesOf(first), ...ratesOf(second)]).toEqual(ratesOf(await run("straight", settings)));
    const more = await run("interrupted", { ...settings, max_epochs: 2 }, { resume: true });
    expect(more.steps).toBe(12);
    const recipe = await readFile(join(directory, "interrupted", "recipe.yaml"), "utf8");
    expect(recipe).toContain("max_epochs: 2\n");
    expect(recipe).not.toContain("max_steps");
  });
});

describe("early stopping", () => {
  // So small a rate changes no transcript: no validation is better than the first.
  const settings = {
    max_steps: 12,
    optimizer: { learning_rate: 1e-12 },
    schedule: { warmup_steps: 0 },
    eval_steps: 2,
    early_stopping_patience: 3,
  };

  it("stops behind so many validations that were no better, and says so", async () => {
    const stopped = await run("early", settings);
    expect(stopped.steps).toBe(8); // the first is the best, then three
    expect(stopped.notes).toContain(
      "Stopped early at step 8: 3 validations in a row were no better than that at step 2, as early_stopping_patience wants.",
    );
    expect((await run("late", { ...settings, early_stopping_patience: undefined })).steps).toBe(12);
  });

  it("keeps its count over an interruption", async () => {
    await run("early-parts", settings, { stopAt: 5 });
    expect((await run("early-parts", settings, { resume: true })).steps).toBe(8);
    expect((await run("early-parts", settings, { resume: true })).steps).toBe(8);
    const patient = { ...settings, early_stopping_patience: 4 };
    expect((await run("early-parts", patient, { resume: true })).steps).toBe(10);
  });

  it("wants improvements as large as the threshold", async () => {
    const better = { ...settings, optimizer: { learning_rate: 5e-3 }, task: "pretrain" };
    const model = {
      ...TINY_MODEL,
      mask_time_prob: 0.5,
      codevector_dim: 8,
      proj_codevector_dim: 8,
      num_negatives: 5,
    };
    expect((await run("improves", { ...better, model, seed: 3 })).steps).toBe(12);
    const demanding = { ...better, model, early_stopping_threshold: 1000 };
    expect((await run("demands", demanding)).steps).toBe(8);
  });
});

describe("data.group_by_length", () => {
  it("decides which clips share a batch", async () => {
    const settings = { max_steps: 2, schedule: { warmup_steps: 1 } };
    const secondsOf = ({ rows }: Recorder) => rows.flatMap(({ audio_seconds: seconds }) => seconds ?? []);
    const grouped = await run("grouped", settings);
    const mixed = await run("mixed", { ...settings, data: { group_by_length: false } });
    expect(secondsOf(mixed)).not.toEqual(secondsOf(grouped));
  });
});
