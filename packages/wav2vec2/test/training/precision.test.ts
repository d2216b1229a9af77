import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classifyFile } from "../../src/classification/classify-file.js";
import { configFromHuggingFace } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForSequenceClassification } from "../../src/model/heads/sequence-classification.js";
import type { MeasureSpeed } from "../../src/precision/known-speeds.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { trainTask } from "../../src/training/own/train-task.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// What precision: auto becomes, and what becomes of the runs. How fast bfloat16 is on this machine plays no part.

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "precision-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 8, dev: 2 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** The narrowest network for which `auto` measures. */
const WIDE = { ...TINY_MODEL, hidden_size: 256, intermediate_size: 64 };

function recipe(output: string, changes: Record<string, unknown>) {
  return resolveRecipe({
    max_steps: 2,
    output: join(directory, output),
    data: { root: join(directory, "corpus"), batch_seconds: 3 },
    model: WIDE,
    eval_steps: 100,
    save_steps: 2,
    threads: 1,
    ...changes,
  });
}

/** @returns the weights and what the run said of its precision */
async function train(
  output: string,
  changes: Record<string, unknown>,
  measureSpeed?: MeasureSpeed,
  resume = false,
) {
  const { tracker } = recorder();
  const told: string[] = [];
  tracker.tell = (text) => void (text.startsWith("precision") && told.push(text));
  await finetune(recipe(output, changes), { tracker, measureSpeed, resume });
  return { weights: await finalWeights(join(directory, output)), told };
}

/** As the run's recipe holds it. */
async function recorded(output: string): Promise<string | undefined> {
  const yaml = await readFile(join(directory, output, "recipe.yaml"), "utf8");
  return /^precision: (.*)$/m.exec(yaml)?.[1];
}

const fast = () => 2;
const slow = () => 0.5;

describe("a run with precision: auto", () => {
  it("is to the bit that of the precision that is faster, which its recipe then holds", async () => {
    const named = await train("named", { precision: "bfloat16" }, fast);
    const auto = await train("auto", {}, fast);
    expect(auto).toEqual({
      weights: named.weights,
      told: ["precision: bfloat16 (auto: bfloat16 is 2 times as fast on this processor)"],
    });
    expect(named.told).toEqual([]);
    const other = await train("slow", {}, slow);
    expect(other.weights).toEqual((await train("float32", { precision: "float32" }, fast)).weights);
    expect(other.weights).not.toEqual(auto.weights);
    expect([await recorded("auto"), await recorded("slow")]).toEqual(["bfloat16", "float32"]);
  });

  it("goes on in the precision that it was begun with", async () => {
    const whole = await train("whole", { max_steps: 4, precision: "bfloat16" }, fast);
    await train("parts", { precision: "auto" }, fast);
    const parts = await train("parts", { max_steps: 4 }, slow, true);
    expect(parts.weights).toEqual(whole.weights);
    expect(parts.told[0]).toBe("precision: bfloat16 (auto: as the run was begun)");
    expect(await recorded("parts")).toBe("bfloat16");
    await expect(train("parts", { max_steps: 6, precision: "float32" }, slow, true)).rejects.toThrow(
      /^precision must be as in .*recipe.yaml .*"float32" instead of "bfloat16"/,
    );
  });

  it("of a small network or a task of one's own is in float32, and measures nothing", async () => {
    const measure = () => expect.unreachable();
    const small = { model: TINY_MODEL };
    const { weights, told } = await train("small", small, measure);
    expect(told).toEqual([]);
    expect(weights).toEqual((await train("small-float32", { ...small, precision: "float32" })).weights);
    expect(await recorded("small")).toBe("float32");
    const own = trainTask(recipe("own", {}), { measureSpeed: measure }, ({ recipe: { precision } }) => {
      throw new Error(precision);
    });
    await expect(own).rejects.toThrow("float32");
  });
});

describe("a classifier", () => {
  it("predicts nearly the same in bfloat16", async () => {
    const labels = { id2label: { 0: "A", 1: "B", 2: "C" } };
    const config = configFromHuggingFace(
      { model_type: "wav2vec2", ...TINY_MODEL, ...labels, classifier_proj_size: 16 },
      "it",
    );
    manualSeed(1);
    const model = new Wav2Vec2ForSequenceClassification(config).eval();
    const clip = join(directory, "corpus", "dev", "1", "1", "1-1-0000.flac");
    const scores = async (precision?: "bfloat16") =>
      (await classifyFile({ model, normalize: true, precision }, clip)).labels!.map(({ score }) => score);
    const [exact, rounded] = [await scores(), await scores("bfloat16")];
    expect(rounded).not.toEqual(exact);
    for (const [i, score] of rounded.entries()) expect(score).toBeCloseTo(exact[i]!, 2);
  });
});
