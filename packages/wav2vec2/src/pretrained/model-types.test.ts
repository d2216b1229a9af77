import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, manualSeed, noGrad, randn, saveTensors } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConfig, defaultsOf } from "../model/configuration.js";
import { readArchitectures } from "../model/configuration-file.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import type { ModelType } from "../model/model-type.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";
import { CtcTokenizer } from "../text/tokenizer.js";
import { Vocabulary } from "../text/vocabulary.js";
import { loadModel, saveModel } from "./model-directory.js";
import { modelOf, shareModel } from "./shared-model.js";

const TOKENIZER = new CtcTokenizer(Vocabulary.fromTranscripts(["ABC"]));

const SHAPE = {
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8],
  convKernel: [10, 8],
  convStride: [5, 8],
  numConvPosEmbeddingGroups: 2,
  vocabSize: 8,
};

const configOf = (type: ModelType) =>
  createConfig({ ...SHAPE, ...(type === "hubert" && { convPosBatchNorm: true }) }, defaultsOf(type));

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "model-types-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a network under another name", () => {
  it.each<[ModelType, string, string]>([
    ["hubert", "hubert.", "HubertForCTC"],
    ["data2vec-audio", "data2vec_audio.", "Data2VecAudioForCTC"],
    ["unispeech", "unispeech.", "UniSpeechForCTC"],
    ["unispeech-sat", "unispeech_sat.", "UniSpeechSatForCTC"],
  ])("is written as Hugging Face's class names it, and read: %s", async (type, prefix, className) => {
    manualSeed(1);
    const model = new Wav2Vec2ForCTC(configOf(type)).eval();
    for (const buffer of model.buffers()) if (buffer.dtype === "float32") buffer.fill_(0.5);
    const directory = join(root, type);
    await saveModel(directory, model, { normalize: true });
    const { tensors } = await loadTensors(join(directory, "model.safetensors"));
    expect([...new Set(Array.from(tensors.keys(), (key) => key.split(".")[0]))].sort()).toEqual(
      [prefix.slice(0, -1), "lm_head"].sort(),
    );
    const json = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
    expect(json).toMatchObject({ model_type: type, architectures: [className] });
    expect(await readArchitectures(directory)).toEqual(["Wav2Vec2ForCTC"]);

    const input = randn([1, 2000]);
    const logits = (other: Wav2Vec2ForCTC) => noGrad(() => other.eval().forward({ input }).logits.toArray());
    const expected = logits(model);
    expect(logits(await loadModel(Wav2Vec2ForCTC, directory))).toEqual(expected);
    const backbone = await loadModel(Wav2Vec2Model, directory);
    expect(backbone.config.modelType).toBe(type);
    // Buffers go to other threads with the parameters.
    const shared = shareModel({ model, tokenizer: TOKENIZER, normalize: true });
    expect(logits(modelOf(shared).model)).toEqual(expected);
  });

  it("loads from a file of the network alone, and of a module around the model", async () => {
    const model = new Wav2Vec2ForCTC(configOf("hubert"));
    const directory = join(root, "wrapped");
    await saveModel(directory, model, { normalize: true });
    const path = join(directory, "model.safetensors");
    const { tensors } = await loadTensors(path);
    const state = [...tensors];
    for (const rename of [
      (key: string) => `module.${key}`,
      (key: string) => key.replace("hubert.", ""),
      (key: string) => key.replace("hubert.", "model.encoder.hubert."),
    ]) {
      await saveTensors(
        path,
        state.map(([key, tensor]) => [rename(key), tensor]),
      );
      const loaded = await loadModel(Wav2Vec2Model, directory);
      const expected = model.wav2vec2.stateDict();
      for (const [key, tensor] of loaded.stateDict()) expect(tensor.equal(expected.get(key)!)).toBe(true);
    }
  });

  it("cannot be pre-trained as wav2vec 2.0", async () => {
    expect(() => new Wav2Vec2ForPreTraining(configOf("hubert"))).toThrow(
      'model_type must be "wav2vec2" for pre-training, but is "hubert"',
    );
  });

  it("is another one than the file's where the configuration says so", async () => {
    const directory = join(root, "mistaken");
    await saveModel(directory, new Wav2Vec2ForCTC(configOf("hubert")), { normalize: true });
    const path = join(directory, "config.json");
    const json = JSON.parse(await readFile(path, "utf8"));
    await writeFile(path, JSON.stringify({ ...json, conv_pos_batch_norm: false }));
    await expect(loadModel(Wav2Vec2ForCTC, directory)).rejects.toThrow(
      /missing: wav2vec2\.encoder\.pos_conv_embed\.conv\.parametrizations/,
    );
  });
});
