import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, noGrad, randn, saveTensors } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConfig, type Wav2Vec2Config } from "../model/configuration.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";
import { saveModel } from "./model-directory.js";
import { loadPreTrainingModel, savePreTrainingModel } from "./pretraining-directory.js";

const config = createConfig({
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8],
  convKernel: [10, 8],
  convStride: [5, 8],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  numCodevectorsPerGroup: 4,
  codevectorDim: 8,
  projCodevectorDim: 6,
  vocabSize: 8,
});

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "pretraining-directory-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a directory of pre-training", () => {
  it("is read as it was saved, and changed where that is asked for", async () => {
    const directory = join(root, "saved");
    const model = new Wav2Vec2ForPreTraining(config);
    await savePreTrainingModel(directory, { model, normalize: false });
    const loaded = await loadPreTrainingModel(directory);
    expect(loaded.normalize).toBe(false);
    const input = randn([1, 2000]);
    const projected = (one: Wav2Vec2ForPreTraining) =>
      noGrad(() => one.eval().forward({ input }).projectedStates.toArray());
    expect(projected(loaded.model)).toEqual(projected(model));

    const dropping = (base: Wav2Vec2Config) => createConfig({ hiddenDropout: 0.25 }, base);
    const changed = await loadPreTrainingModel(directory, { config: dropping });
    expect(changed.model.config.hiddenDropout).toBe(0.25);
  });

  it("must hold a quantizer", async () => {
    for (const model of [new Wav2Vec2ForCTC(config), new Wav2Vec2Model(config)]) {
      const directory = join(root, model.constructor.name);
      await saveModel(directory, model, { normalize: true });
      await expect(loadPreTrainingModel(directory)).rejects.toThrow(
        `${directory} must be a pre-trained model with a quantizer, but ${join(directory, "model.safetensors")} ` +
          "has none of quantizer.*. Fine-tuned models have left it out: name the model that they were made from.",
      );
    }
  });

  it("names what is missing of the quantizer", async () => {
    const directory = join(root, "part");
    await savePreTrainingModel(directory, { model: new Wav2Vec2ForPreTraining(config), normalize: true });
    const weights = join(directory, "model.safetensors");
    const { tensors } = await loadTensors(weights);
    await saveTensors(
      weights,
      [...tensors].filter(([name]) => name !== "quantizer.weight_proj.bias"),
    );
    await expect(loadPreTrainingModel(directory)).rejects.toThrow("missing: quantizer.weight_proj.bias");
  });
});
