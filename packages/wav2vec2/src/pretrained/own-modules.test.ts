import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, nn, noGrad, randn, saveTensors, type Tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { createConfig, type Wav2Vec2Config } from "../model/configuration.js";
import { Wav2Vec2ForCTC } from "../model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../model/heads/pretraining/pretraining.js";
import { Wav2Vec2ForSequenceClassification } from "../model/heads/sequence-classification.js";
import { Wav2Vec2ForXVector } from "../model/heads/xvector.js";
import { Wav2Vec2Model } from "../model/wav2vec2-model.js";
import { loadModel, saveModel } from "./model-directory.js";

const config = createConfig({
  hiddenSize: 16,
  numHiddenLayers: 2,
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
  tdnnDim: [8, 8],
  tdnnKernel: [2, 1],
  tdnnDilation: [1, 1],
  xvectorOutputDim: 6,
});

/** As users write one: the backbone deep inside, a head of its own, another name for everything. */
class Encoder extends nn.Module {
  backbone: Wav2Vec2Model;
  constructor(given: Wav2Vec2Config) {
    super();
    this.backbone = new Wav2Vec2Model(given);
  }
}
class Emotion extends nn.Module {
  encoder: Encoder;
  moods: nn.Linear;
  constructor(given: Wav2Vec2Config) {
    super();
    this.encoder = new Encoder(given);
    this.moods = new nn.Linear(given.hiddenSize, 4);
  }
}
class TwoHeads extends Wav2Vec2ForCTC {
  speakerHead = new nn.Linear(16, 3);
}

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "own-modules-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const values = (module: nn.Module) => new Map(module.namedParameters());
function expectEqual(actual: nn.Module, expected: nn.Module, except: readonly string[] = []): void {
  const wanted = values(expected);
  for (const [name, parameter] of values(actual))
    if (!except.includes(name)) expect(parameter.equal(wanted.get(name) as Tensor), name).toBe(true);
}
async function noted<T>(run: (onNote: (text: string) => void) => Promise<T>) {
  const notes: string[] = [];
  return { result: await run((text) => void notes.push(text)), notes };
}

describe("an own module", () => {
  it("takes the backbone of any directory, wherever it has it, and says what begins anew", async () => {
    const sources = [
      new Wav2Vec2Model(config),
      new Wav2Vec2ForCTC(config),
      new Wav2Vec2ForPreTraining(config),
      new Wav2Vec2ForSequenceClassification(config),
      new Wav2Vec2ForXVector(config),
    ];
    for (const source of sources) {
      const directory = join(root, source.constructor.name);
      await saveModel(directory, source, { normalize: true });
      const { result, notes } = await noted((onNote) => loadModel(Emotion, directory, { onNote }));
      expectEqual(result.encoder.backbone, source instanceof Wav2Vec2Model ? source : source.wav2vec2);
      expect(notes).toEqual([
        expect.stringMatching(
          /has no values for what begins with random ones.*: moods\.weight, moods\.bias\.$/,
        ),
      ]);
      expect(result.moods.weight.abs().amax().item()).toBeLessThanOrEqual(0.25); // as nn.Linear begins
    }
  });

  it("is written and read whole, under its class's name", async () => {
    const directory = join(root, "emotion");
    const model = new Emotion(config);
    await saveModel(directory, model, { normalize: false });
    const json = JSON.parse(await readFile(join(directory, "config.json"), "utf8"));
    expect([json.architectures, json.hidden_size]).toEqual([["Emotion"], 16]);
    const { result, notes } = await noted((onNote) => loadModel(Emotion, directory, { onNote }));
    expectEqual(result, model);
    expect(notes).toEqual([]);
    const bare = await noted((onNote) => loadModel(Wav2Vec2Model, directory, { onNote }));
    expectEqual(bare.result, model.encoder.backbone);
    expect(bare.notes).toEqual([expect.stringContaining("left out: moods.bias, moods.weight.")]);
  });

  it("that extends a known class keeps that class's head and begins its own anew", async () => {
    const directory = join(root, "ctc");
    const ctc = new Wav2Vec2ForCTC(config);
    await saveModel(directory, ctc, { normalize: true });
    const { result, notes } = await noted((onNote) => loadModel(TwoHeads, directory, { onNote }));
    expectEqual(result, ctc, ["speaker_head.weight", "speaker_head.bias"]);
    expect(notes).toEqual([expect.stringContaining(": speaker_head.weight, speaker_head.bias.")]);
    const quiet = await noted((onNote) =>
      loadModel(TwoHeads, directory, { onNote, newHead: "where missing" }),
    );
    expect(quiet.notes).toEqual([]);
    const anew = await loadModel(TwoHeads, directory, { newHead: "always" });
    expect(anew.lmHead.weight.equal(ctc.lmHead.weight)).toBe(false);
  });

  it("whose head is of another size begins that one anew where it is asked to, and keeps the others", async () => {
    class MoreSpeakers extends Wav2Vec2ForCTC {
      speakerHead = new nn.Linear(16, 5);
    }
    const directory = join(root, "other-size");
    const two = new TwoHeads(config);
    await saveModel(directory, two, { normalize: true });
    for (const newHead of [undefined, "where missing", "never"] as const)
      await expect(loadModel(MoreSpeakers, directory, { newHead })).rejects.toThrow(
        "mis-shaped: speaker_head.weight must be [5, 16], but is [3, 16]",
      );
    const { result, notes } = await noted((onNote) =>
      loadModel(MoreSpeakers, directory, { onNote, newHead: "where different" }),
    );
    expect(notes).toEqual([expect.stringContaining(": speaker_head.bias, speaker_head.weight.")]);
    expect(result.lmHead.weight.equal(two.lmHead.weight)).toBe(true);
    expect(result.speakerHead.weight.shape).toEqual([5, 16]);
    expect(result.speakerHead.weight.abs().sum().item()).toBeGreaterThan(0);
    const wider = { config: { convDim: [8, 12] }, newHead: "where different" } as const;
    await expect(loadModel(MoreSpeakers, directory, wider)).rejects.toThrow("mis-shaped: wav2vec2.");
  });

  it("is refused where the backbone lacks something, without naming a key as its own nearest", async () => {
    const directory = join(root, "holes");
    const model = new Wav2Vec2Model(config);
    await saveModel(directory, model, { normalize: true });
    const path = join(directory, "model.safetensors");
    const { tensors } = await loadTensors(path);
    await saveTensors(
      path,
      [...tensors].filter(([key]) => key !== "encoder.layers.1.layer_norm.bias"),
    );
    const message = await loadModel(Emotion, directory, { onNote: () => {} }).catch(
      (error: Error) => error.message,
    );
    expect(message).toContain("missing: encoder.backbone.encoder.layers.1.layer_norm.bias\n".trim());
    expect(message).not.toContain("moods");
    for (const [, missing, near] of String(message).matchAll(/missing: (\S+) \(nearest: (\S+)\)/g))
      expect(near).not.toBe(missing);
  });

  it("without a network or a configuration is told what it needs", async () => {
    class Nothing extends nn.Module {
      linear = new nn.Linear(2, 2);
    }
    await expect(loadModel(Nothing, join(root, "ctc"))).rejects.toThrow(
      "Nothing must have a Wav2Vec2Model in one of its fields, but has none.",
    );
    const directory = join(root, "nothing");
    await expect(saveModel(directory, new Nothing(), { normalize: true })).rejects.toThrow(UserError);
    await expect(saveModel(directory, new Nothing(), { normalize: true })).rejects.toThrow(
      "Nothing must have a configuration to be written",
    );
    await saveModel(directory, new Nothing(), { normalize: true, config });
    expect([...(await loadTensors(join(directory, "model.safetensors"))).tensors.keys()]).toEqual([
      "linear.bias",
      "linear.weight",
    ]);
  });
});

describe("loadModel", () => {
  it("takes some keys of a configuration in place of a function", async () => {
    const model = await loadModel(Wav2Vec2ForCTC, join(root, "ctc"), { config: { maskTimeProb: 0.5 } });
    expect(model.config.maskTimeProb).toBe(0.5);
    expect(model.wav2vec2.config.hiddenSize).toBe(16);
    expect(() => Object.assign(model.config, { maskTimeProb: 0.3 })).toThrow(
      "maskTimeProb of a model's configuration must stay as the model was made",
    );
    expect(() => Object.assign(model.config, { mask_time_prob: 0.3 })).toThrow(
      "loadModel(Model, directory, { config: { maskTimeProb: 0.3 } })",
    );
    expect(Object.keys(model.config)).not.toContain("mask_time_prob");
  });

  it("gives a model in evaluation, so that its outputs have no dropout and masks", async () => {
    const model = await loadModel(Wav2Vec2ForCTC, join(root, "ctc"), {
      config: { hiddenDropout: 0.5, maskTimeProb: 0.5 },
    });
    const input = randn([1, 8000]);
    const [first, second] = [1, 2].map(() => noGrad(() => model.forward({ input }).logits.toArray()));
    expect(second).toEqual(first);
    expect(model.train().wav2vec2.training).toBe(true);
  });

  it("says that a head is for other labels", async () => {
    const directory = join(root, "Wav2Vec2ForSequenceClassification");
    const wanted = { config: { id2label: ["a", "b", "c"] }, onNote: () => {} };
    const refused = loadModel(Wav2Vec2ForSequenceClassification, directory, wanted);
    await expect(refused).rejects.toThrow(
      /classifier\.weight must be \[3, 256\], but is \[2, 256\].*\n.*head is for other labels/s,
    );
    const anew = await loadModel(Wav2Vec2ForSequenceClassification, directory, {
      ...wanted,
      newHead: "always",
    });
    expect(anew.labels).toEqual(["a", "b", "c"]);
  });

  it("leaves the vector for masked frames of an own module as random numbers where there is none", async () => {
    const directory = join(root, "unmasked");
    const plain = createConfig({ maskTimeProb: 0, maskFeatureProb: 0 }, config);
    await saveModel(directory, new Wav2Vec2Model(plain), { normalize: true });
    const model = await loadModel(Emotion, directory, { config: { maskTimeProb: 0.1 }, onNote: () => {} });
    expect(model.encoder.backbone.maskedSpecEmbed!.amax().item()).toBeLessThan(1);
  });
});
