import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadTensors, manualSeed } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConfig } from "../../src/model/configuration.js";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { PRESETS } from "../../src/model/presets.js";
import { loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { loadLanguageAdapter } from "../../src/pretrained/language-adapter.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// A Python with transformers, named as transformers.test.ts has it.
const PYTHON = process.env.TRANSFORMERS_PYTHON;

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "adapters-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 20, dev: 3 });
  for (const stable of [true, false]) {
    manualSeed(1);
    const model = { ...TINY_MODEL, do_stable_layer_norm: stable, num_hidden_layers: 2, layerdrop: 0 };
    const config = configWithKeys(PRESETS.base, model, "The test's model");
    await saveModel(join(directory, stable ? "init" : "post-norm"), new Wav2Vec2ForPreTraining(config), {
      normalize: true,
    });
  }
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function run(output: string, changes: Record<string, unknown> = {}) {
  const record = recorder();
  const recipe = resolveRecipe({
    max_steps: 3,
    init: join(directory, "init"),
    output: join(directory, output),
    data: { root: data, batch_seconds: 6, workers: 0 },
    model: { adapter_attn_dim: 4 },
    optimizer: { learning_rate: 5e-3 },
    schedule: { warmup_steps: 1 },
    train: "adapters",
    logging_steps: 1,
    threads: 1,
    ...changes,
  });
  const options = { tracker: record.tracker, signal: new AbortController().signal, resume: false };
  await finetune(recipe, options);
}

describe("train: adapters", () => {
  it("changes adapters, their norms and the head alone, and keeps them in a file of their own", async () => {
    await run("adapted", { adapter_language: "eng" });
    const before = (await loadTensors(join(directory, "init/model.safetensors"))).tensors;
    const after = await finalWeights(join(directory, "adapted"));
    const changed = [...after].flatMap(([name, bytes]) => {
      const old = before.get(name);
      return old && Buffer.from(old.toBytes()).toString("base64") === bytes ? [] : [name];
    });
    const adapter = (layer: number) =>
      [
        "linear_1.bias",
        "linear_1.weight",
        "linear_2.bias",
        "linear_2.weight",
        "norm.bias",
        "norm.weight",
      ].map((name) => `wav2vec2.encoder.layers.${layer}.adapter_layer.${name}`);
    const own = ["lm_head.bias", "lm_head.weight", ...adapter(0), ...adapter(1)];
    expect(changed.sort()).toEqual(own);
    const file = await loadTensors(join(directory, "adapted/final/adapter.eng.safetensors"));
    expect([...file.tensors.keys()].sort()).toEqual(own);
  });

  it("leaves a directory that loads with its language and without, and a file for other models", async () => {
    const final = join(directory, "adapted/final");
    const plain = await loadCtcModel(final);
    const { model, tokenizer } = await loadCtcModel(final, { language: "eng" });
    expect(tokenizer.vocabulary.tokens).toEqual(plain.tokenizer.vocabulary.tokens);
    const other = new Wav2Vec2ForCTC(createConfig({}, model.config));
    await loadLanguageAdapter(other, final, "eng");
    expect(other.lmHead.weight.toArray()).toEqual(model.lmHead.weight.toArray());
    const norms = [other, model].map(({ wav2vec2 }) => wav2vec2.encoder.layers[1]!.adapterLayer!.norm.bias);
    expect(norms[0]!.toArray()).toEqual(norms[1]!.toArray());
    expect(norms[0]!.toArray().some((value) => value !== 0)).toBe(true);
    // Another language on top of it: its adapters and head begin anew.
    await run("second", { init: final, adapter_language: "deu", max_steps: 1 });
    expect(existsSync(join(directory, "second/final/adapter.deu.safetensors"))).toBe(true);
  });

  it.skipIf(PYTHON === undefined)("is read by transformers", async () => {
    const script = `
import sys, torch
from transformers import Wav2Vec2ForCTC, Wav2Vec2CTCTokenizer
model = Wav2Vec2ForCTC.from_pretrained(sys.argv[1], target_lang="eng")
before = model.lm_head.bias.detach().clone()
model.lm_head.bias.data.zero_()
model.load_adapter("eng", force_load=True)
assert torch.equal(before, model.lm_head.bias)
tokenizer = Wav2Vec2CTCTokenizer.from_pretrained(sys.argv[1])
print(tokenizer.target_lang, tokenizer("AB").input_ids == [tokenizer.encoder["A"], tokenizer.encoder["B"]])
`;
    const { stdout } = await promisify(execFile)(PYTHON!, ["-c", script, join(directory, "adapted/final")]);
    expect(stdout.trim()).toBe("eng True");
  });

  it("needs a model with a place for them, and no other word on what is trained", async () => {
    await expect(run("none", { model: {} })).rejects.toThrow(/adapter_attn_dim is null .* such as 16/);
    await expect(run("post", { init: join(directory, "post-norm") })).rejects.toThrow(
      /do_stable_layer_norm must be set .* do_stable_layer_norm false/,
    );
    const scratch = { init: undefined, model: { ...TINY_MODEL, adapter_attn_dim: 4 } };
    await expect(run("scratch", scratch)).rejects.toThrow(
      /train: adapters must leave a model as it is that has learned/,
    );
    await expect(run("x", { freeze_layers: 1 })).rejects.toThrow(
      /train: adapters says .* so does freeze_layers/,
    );
    await expect(run("x", { train: "all", adapter_language: "eng" })).rejects.toThrow(
      /adapter_language belongs to train: adapters/,
    );
    await expect(run("x", { task: "pretrain" })).rejects.toThrow(/train belongs to the task finetune/);
    await run("all", { train: "all", max_steps: 1 }); // adapters that init has not begin with the rest
  });
});
