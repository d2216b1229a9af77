import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, supportsAutocast } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readCorpus } from "../../src/data/corpus/corpus.js";
import { readConfig } from "../../src/model/configuration-file.js";
import { loadPreTrainingModel } from "../../src/pretrained/pretraining-directory.js";
import { trackRun } from "../../src/tracking/run.js";
import { readStepLines } from "../../src/tracking/sinks/metrics-file.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { gumbelTemperature, pretrain } from "../../src/training/pretraining/pretrain.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, recorder, reproducible } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pretrain-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 60, dev: 10 });
  for (const split of ["train", "dev"]) await rm(join(data, split, "1", "1", "1-1.trans.txt")); // unlabelled
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const PRETRAINED = {
  ...TINY_MODEL,
  codevector_dim: 16,
  proj_codevector_dim: 16,
  num_codevectors_per_group: 20,
};

function recipe(output: string, changes: Record<string, unknown> = {}) {
  return resolveRecipe({
    task: "pretrain",
    max_steps: 12,
    output: join(directory, output),
    data: { root: data, batch_seconds: 6 },
    model: { ...PRETRAINED, mask_time_prob: 0.5, num_negatives: 10 },
    optimizer: { learning_rate: 2e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 1,
    eval_steps: 6,
    save_steps: 6,
    threads: 1,
    ...changes,
  });
}

const run = (tracker = recorder().tracker, signal = new AbortController().signal, resume = false) => ({
  tracker,
  signal,
  resume,
});

const weights = (output: string) => finalWeights(join(directory, output));

describe("pre-training", () => {
  it("learns to find masked frames of unlabelled speech, and fine-tuning starts from what it leaves", async () => {
    const output = join(directory, "learn");
    const tracker = trackRun(output, { steps: 300, resume: false, stream: { write() {} } });
    const settings = { max_steps: 300, logging_steps: 50, eval_steps: 100, save_steps: 1000 };
    const result = await pretrain(
      recipe("learn", { ...settings, optimizer: { learning_rate: 5e-3 } }),
      run(tracker),
    );
    expect(result).toMatchObject({ interrupted: false, steps: 300, model: join(output, "final") });
    expect(result.contrastiveLoss).toBeLessThan(0.8 * result.chanceLoss);
    expect(result.accuracy).toBeGreaterThan(2 / 11);

    const rows = readStepLines(join(output, "metrics.jsonl"));
    const held = rows.filter((row) => "eval/contrastive_loss" in row);
    expect(held.map(({ step }) => step)).toEqual([100, 200, 300]);
    expect(held.at(-1)!["eval/contrastive_loss"]).toBe(result.contrastiveLoss);
    expect(held.at(-1)!["eval/contrastive_loss_to_chance"]).toBeCloseTo(
      result.contrastiveLoss! / Math.log(11),
    );
    const codebooks = readStepLines(join(output, "codebooks.jsonl"));
    const counts = codebooks.at(-1)!.counts as number[][];
    expect(counts.map((group) => group.length)).toEqual([20, 20]);
    const frames = counts.map((group) => group.reduce((sum, count) => sum + count, 0));
    expect(frames[0]).toBe(frames[1]);
    const clips = readStepLines(join(output, "coded-clips.jsonl")).filter(({ step }) => step === 300);
    expect(clips).toHaveLength(4);
    for (const { codes, found, masked } of clips as never as {
      codes: [];
      found: boolean[];
      masked: number[][];
    }[]) {
      expect(found).toHaveLength(codes.length);
      const inside = (frame: number) => masked.some(([first, end]) => frame >= first! && frame < end!);
      expect(found.every((right, frame) => !right || inside(frame))).toBe(true);
    }

    const labelled = join(directory, "labelled");
    await writeToneCorpus(labelled, { train: 20, dev: 5 });
    const tuned = await finetune(
      resolveRecipe({
        max_steps: 4,
        output: join(directory, "tuned"),
        data: { root: labelled, batch_seconds: 6 },
        init: result.model,
        logging_steps: 1,
        eval_steps: 4,
        threads: 1,
      }),
      run(),
    );
    expect(tuned.steps).toBe(4);
    expect((await readConfig(tuned.model!)).hiddenSize).toBe(24);
  });

  it("resumed equals never stopped, to the last bit", async () => {
    const whole = recorder();
    const changes = { gradient_accumulation: 2 };
    await pretrain(recipe("whole", changes), run(whole.tracker));
    const controller = new AbortController();
    const before = recorder((step) => step === 5 && controller.abort());
    const interrupted = await pretrain(recipe("parts", changes), run(before.tracker, controller.signal));
    expect(interrupted).toMatchObject({ interrupted: true, steps: 5, model: undefined });
    const after = recorder();
    await pretrain(recipe("parts", changes), run(after.tracker, undefined, true));
    expect(reproducible([...before.rows, ...after.rows])).toEqual(reproducible(whole.rows));
    expect(await weights("parts")).toEqual(await weights("whole"));
  });

  it("resumed between two lines of metrics, the next line is that of a run never stopped", async () => {
    const changes = { gradient_accumulation: 2, logging_steps: 4 };
    const whole = recorder();
    await pretrain(recipe("lines", changes), run(whole.tracker));
    const controller = new AbortController();
    const before = recorder();
    const { log } = before.tracker;
    before.tracker.log = (metrics, step) => {
      log(metrics, step);
      if (step === 6) controller.abort(); // a validation
    };
    const interrupted = await pretrain(recipe("stopped", changes), run(before.tracker, controller.signal));
    expect(interrupted).toMatchObject({ interrupted: true, steps: 6 });
    const after = recorder();
    await pretrain(recipe("stopped", changes), run(after.tracker, undefined, true));
    expect(after.rows.map(({ step }) => step)).toEqual([8, 12, 12]);
    expect(reproducible([...before.rows, ...after.rows])).toEqual(reproducible(whole.rows));
  });

  it("gives the same losses whatever prepares the batches", async () => {
    const losses = async (workers: number) => {
      const { tracker, rows } = recorder();
      await pretrain(
        recipe(`workers-${workers}`, { max_steps: 4, data: { root: data, batch_seconds: 3, workers } }),
        run(tracker),
      );
      return reproducible(rows);
    };
    expect(await losses(2)).toEqual(await losses(0));
  });

  it("gives the same weights with gradient checkpointing, and others in bfloat16", async () => {
    const settings = {
      max_steps: 3,
      eval_steps: 3,
      model: { ...PRETRAINED, mask_time_prob: 0.5, num_hidden_layers: 3 },
    };
    await pretrain(recipe("kept", settings), run());
    await pretrain(recipe("computed-again", { ...settings, gradient_checkpointing: true }), run());
    expect(await weights("computed-again")).toEqual(await weights("kept"));
    const { tracker, rows } = recorder();
    await pretrain(recipe("bfloat16", { ...settings, precision: "bfloat16" }), run(tracker));
    expect(rows.every((row) => Number.isFinite(row.loss ?? row["eval/loss"]))).toBe(true);
    expect(await weights("bfloat16")).not.toEqual(await weights("kept"));
  });

  it("scales losses in float16, or says that this libtorch cannot", async () => {
    const { tracker, rows } = recorder();
    const training = pretrain(recipe("float16", { max_steps: 3, precision: "float16" }), run(tracker));
    if (!supportsAutocast("float16")) {
      await expect(training).rejects.toThrow(/precision must be float32 or bfloat16 on this machine/);
      return;
    }
    await training;
    expect(rows[0]!.loss_scale).toBeGreaterThan(0);
    expect(rows.at(-1)!["eval/loss"]).toBeGreaterThan(0);
  });

  it("cuts to equal lengths, penalises features and scales their gradient as fairseq does", async () => {
    const { tracker, rows } = recorder();
    const model = { ...PRETRAINED, mask_time_prob: 0.5, feature_penalty_weight: 10, feature_grad_mult: 0.1 };
    await pretrain(
      recipe("fairseq", { max_steps: 3, eval_steps: 3, model, pretraining: { padding: "crop" } }),
      run(tracker),
    );
    const [first] = rows;
    expect(first!.loss).toBeCloseTo(
      first!.contrastive_loss! + 0.1 * first!.diversity_loss! + 10 * first!.feature_penalty!,
      4,
    );
  });

  it("lowers the Gumbel temperature step by step", async () => {
    const { tracker, rows } = recorder();
    const pretraining = {
      max_gumbel_temperature: 2,
      gumbel_temperature_decay: 0.9,
      min_gumbel_temperature: 1.4,
    };
    const annealed = (changes: Record<string, unknown>) => recipe("annealed", { pretraining, ...changes });
    const controller = new AbortController();
    const before = recorder((step) => step === 2 && controller.abort());
    await pretrain(annealed({ max_steps: 5 }), run(before.tracker, controller.signal));
    await pretrain(annealed({ max_steps: 5 }), run(tracker, undefined, true)); // from step 2 on
    const steps = [...before.rows, ...rows].filter((row) => row.loss !== undefined);
    expect(steps.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5]);
    // That of the step that was taken: the first one's is the highest
    for (const [index, expected] of [2, 1.8, 1.62, 1.458, 1.4].entries())
      expect(steps[index]!.gumbel_temperature).toBeCloseTo(expected, 10);
  });

  it("keeps the model of the validation with the lowest loss as the best", async () => {
    const { tracker, rows } = recorder();
    const changes = {
      max_steps: 10,
      eval_steps: 1,
      save_steps: 1,
      keep_checkpoints: 10,
      optimizer: { learning_rate: 0.03 },
    };
    await pretrain(recipe("best-of", changes), run(tracker));
    const held = rows.filter((row) => "eval/loss" in row);
    const best = held.reduce((lowest, row) => (row["eval/loss"]! < lowest["eval/loss"]! ? row : lowest));
    expect(held).toHaveLength(10);
    expect([1, 10]).not.toContain(best.step); // neither the first nor the last, which are always at hand
    const checkpoint = join(directory, "best-of", "checkpoints");
    const progress = JSON.parse(await readFile(join(checkpoint, "step-10", "progress.json"), "utf8"));
    expect(progress.best).toMatchObject({ step: best.step, value: best["eval/loss"] });

    const saved = await loadTensors(join(directory, "best-of", "best", "model.safetensors"));
    const then = await loadTensors(join(checkpoint, `step-${best.step}`, "model.safetensors"));
    const names = [...then.tensors.keys()].filter((name) => saved.tensors.has(name));
    expect(names.length).toBeGreaterThan(20);
    for (const name of names)
      expect(saved.tensors.get(name)!.toArray(), name).toEqual(then.tensors.get(name)!.toArray());
  });

  it("goes on from a pre-trained directory with its codebooks", async () => {
    await pretrain(recipe("first", { max_steps: 2 }), run());
    const init = join(directory, "first", "final");
    await pretrain(
      recipe("second", { max_steps: 1, init, model: {}, optimizer: { learning_rate: 1e-12 } }),
      run(),
    );
    const model = async (name: string) => (await loadPreTrainingModel(join(directory, name, "final"))).model;
    const [before, after] = [await model("first"), await model("second")];
    expect(after.quantizer.codevectors.toArray()).toEqual(before.quantizer.codevectors.toArray());
    expect(after.config.numNegatives).toBe(10); // what the recipe does not say is the directory's
  });

  it("divides long recordings and hears all of them", async () => {
    const { notes, tracker } = recorder();
    const { utterances } = await readCorpus(data, "train", { transcripts: "none" });
    const longest = Math.max(...utterances.map(({ seconds }) => seconds));
    const changes = { max_steps: 2, data: { root: data, batch_seconds: 6, max_seconds: longest / 2.5 } };
    await pretrain(recipe("long", changes), run(tracker));
    const parts = utterances.map(({ seconds }) => Math.max(1, Math.floor(seconds / (longest / 2.5))));
    const count = parts.reduce((sum, value) => sum + value, 0);
    expect(count).toBeGreaterThan(60);
    expect(notes.join("\n")).toContain(`${count} clips`);
  });

  it("says what is too little, and refuses what cannot be learned from", async () => {
    const { notes, tracker } = recorder();
    await pretrain(
      recipe("little", {
        max_steps: 2,
        gradient_accumulation: 40,
        schedule: { warmup_steps: 10 },
        model: { ...PRETRAINED, mask_time_prob: 0.5, mask_time_length: 20 },
        data: { root: data, batch_seconds: 6, train_share: 0.2 },
      }),
      run(tracker),
    );
    const said = notes.join("\n");
    expect(said).toMatch(/12 clips \(0\.00 h\) to learn from/);
    expect(said).toMatch(/schedule\.warmup_steps should be less than max_steps \(2\), but is 10/);
    expect(said).toMatch(/train should hold at least one update's batches \(40\), but holds/);
    expect(said).toMatch(/1 clip is not longer than a mask of 20 frames, for example 1-1-\d+/);
    expect(await readdir(join(directory, "little", "final"))).toContain("model.safetensors"); // all the same

    const refused = (changes: Record<string, unknown>) => pretrain(recipe("refused", changes), run());
    await expect(refused({ data: { root: data, min_seconds: 60, max_seconds: 90 } })).rejects.toThrow(
      /train must hold clips of at least 60 s, but all 60 are shorter/,
    );
    await expect(refused({ model: { ...PRETRAINED, mask_time_prob: 0 } })).rejects.toThrow(
      /mask_time_prob must be above 0/,
    );
    await expect(
      refused({ init: join(directory, "little", "final"), model: { num_codevectors_per_group: 7 } }),
    ).rejects.toThrow(/must have the shape of .*final, but its num_codevectors_per_group is 7 instead of/);
    expect(existsSync(join(directory, "refused"))).toBe(false);
    await expect(refused({ model: { ...PRETRAINED, add_adapter: true } })).rejects.toThrow(
      /add_adapter must be false/,
    );
    await expect(pretrain(resolveRecipe({ data: { root: data } }), run())).rejects.toThrow(
      /task of a recipe for pretrain must be pretrain, but is finetune. Call finetune/,
    );
  });

  it("says once where the codebooks collapse", async () => {
    const { notes, tracker } = recorder();
    await pretrain(
      recipe("collapse", { max_steps: 120, eval_steps: 500, optimizer: { learning_rate: 0.5 } }),
      run(tracker),
    );
    expect(notes.filter((note) => note.includes("codebooks must stay in use"))).toHaveLength(1);
  });

  it("writes a recipe that reads back", async () => {
    const text = await readFile(join(directory, "fairseq", "recipe.yaml"), "utf8");
    expect(text).toContain("task: pretrain");
    expect(text).toContain("padding: crop");
  });
});

describe("the Gumbel temperature", () => {
  it("is the paper's", () => {
    const { pretraining } = recipe("unused");
    const at = (step: number) => gumbelTemperature(step, pretraining!);
    expect(at(0)).toBe(2);
    expect(at(100_000)).toBeCloseTo(2 * 0.999995 ** 100_000);
    expect(at(277_258)).toBeGreaterThan(0.5);
    expect(at(277_259)).toBe(0.5);
  });
});
