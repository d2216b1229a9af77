import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, manualSeed } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { PRESETS } from "../../src/model/presets.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, type Recorder, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
let data: string;
let init: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "freezing-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 24, dev: 3 });
  init = join(directory, "init");
  manualSeed(1);
  const model = { ...TINY_MODEL, num_hidden_layers: 3, layerdrop: 0 };
  const config = configWithKeys(PRESETS.base, model, "The test's model");
  await saveModel(init, new Wav2Vec2ForPreTraining(config), { normalize: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

function recipe(output: string, changes: Record<string, unknown> = {}) {
  return resolveRecipe({
    max_steps: 6,
    init,
    output: join(directory, output),
    data: { root: data, batch_seconds: 6, workers: 0 },
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 1,
    eval_steps: 100,
    save_steps: 100,
    threads: 1,
    ...changes,
  });
}

async function run(
  output: string,
  changes: Record<string, unknown>,
  { stopAt, resume = false }: { stopAt?: number; resume?: boolean } = {},
): Promise<Recorder> {
  const controller = new AbortController();
  const record = recorder((step) => step === stopAt && controller.abort());
  await finetune(recipe(output, changes), {
    tracker: record.tracker,
    signal: controller.signal,
    resume,
  });
  return record;
}

/** Names of the backbone's parameters that a run changed, without their last part. */
async function changedIn(output: string): Promise<string[]> {
  const { tensors } = await loadTensors(join(init, "model.safetensors"));
  const after = await finalWeights(join(directory, output));
  const changed = [...after].flatMap(([name, bytes]) => {
    const before = tensors.get(name);
    const same = before && Buffer.from(before.toBytes()).toString("base64") === bytes;
    return same ? [] : [name.replace("wav2vec2.", "").split(".").slice(0, 3).join(".")];
  });
  return [...new Set(changed)].sort();
}

const lossesOf = (...runs: Recorder[]) => runs.flatMap(({ rows }) => rows.flatMap(({ loss }) => loss ?? []));

describe("freeze_backbone_steps", () => {
  it("trains the head alone for so many steps, then the rest too", async () => {
    const frozen = await run("head", { freeze_backbone_steps: 6 });
    expect(await changedIn("head")).toEqual(["lm_head.bias", "lm_head.weight"]);
    expect(frozen.notes.join()).toContain("only the output layer is trained");
    const thawed = await run("thawed", { freeze_backbone_steps: 5, max_steps: 6 });
    expect(thawed.notes).toContain("Step 5: the backbone is trained from here on.");
    const changed = await changedIn("thawed");
    expect(changed).toContain("encoder.layers.0");
    expect(changed).toContain("feature_projection.projection.weight");
    expect(changed.filter((name) => name.startsWith("feature_extractor"))).toEqual([]);
    expect(lossesOf(thawed)).not.toEqual(lossesOf(await run("never", {})));
  });

  it("trains attention adapters with the head", async () => {
    await run("adapted", { freeze_backbone_steps: 6, model: { adapter_attn_dim: 4 } });
    expect(await changedIn("adapted")).toEqual([
      "encoder.layers.0",
      "encoder.layers.1",
      "encoder.layers.2",
      "lm_head.bias",
      "lm_head.weight",
    ]);
    const { tensors } = await loadTensors(join(init, "model.safetensors"));
    const after = await finalWeights(join(directory, "adapted"));
    for (const [name, tensor] of tensors)
      if (after.has(name)) expect(after.get(name)).toBe(Buffer.from(tensor.toBytes()).toString("base64"));
  });

  it.each([
    ["in the middle of the frozen phase", 2],
    ["where it ends", 4],
    ["behind it", 5],
  ])("resumed %s equals never stopped, to the last bit", async (_, stopAt) => {
    const settings = { freeze_backbone_steps: 4, max_steps: 7, gradient_checkpointing: true };
    const whole = await run(`whole-${stopAt}`, settings);
    const first = await run(`parts-${stopAt}`, settings, { stopAt });
    const second = await run(`parts-${stopAt}`, settings, { resume: true });
    expect(lossesOf(first)).toHaveLength(stopAt);
    expect(lossesOf(first, second)).toEqual(lossesOf(whole));
    const weights = (output: string) => finalWeights(join(directory, output));
    expect(await weights(`parts-${stopAt}`)).toEqual(await weights(`whole-${stopAt}`));
  });
});

describe("freeze_layers", () => {
  it("leaves the lowest layers and all below them as they are", async () => {
    await run("layers", { freeze_layers: 2, gradient_checkpointing: true });
    expect(await changedIn("layers")).toEqual([
      "encoder.layer_norm.bias",
      "encoder.layer_norm.weight",
      "encoder.layers.2",
      "lm_head.bias",
      "lm_head.weight",
    ]);
    await expect(run("too-many", { freeze_layers: 4 })).rejects.toThrow(
      /Frozen layers must be at most the model's 3, but are 4/,
    );
  });
});

describe("recipes that freeze", () => {
  it("need something that has learned, and agree with themselves", async () => {
    const scratch = { init: undefined, model: TINY_MODEL };
    for (const [key, value] of [
      ["freeze_backbone_steps", 3],
      ["freeze_layers", 1],
    ] as const) {
      await expect(run("scratch", { ...scratch, [key]: value })).rejects.toThrow(
        `${key} must leave a model as it is that has learned, but the weights are random. Give --model`,
      );
      expect(() => recipe("x", { task: "pretrain", [key]: value })).toThrow(
        `${key} belongs to the task finetune`,
      );
    }
    expect(() => recipe("x", { freeze_layers: 1, freeze_feature_encoder: false })).toThrow(
      /freeze_layers freezes all below .* freeze_feature_encoder is false/,
    );
    const decay = { task: "pretrain", optimizer: { layer_decay: 0.9 } };
    expect(() => recipe("x", decay)).toThrow("optimizer.layer_decay belongs to the task finetune");
  });
});
