import { setImmediate as turn } from "node:timers/promises";
import { manualSeed } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { createConfig } from "../../model/configuration.js";
import { Wav2Vec2ForCTC } from "../../model/heads/ctc.js";
import type { CtcModel } from "../../pretrained/ctc-directory.js";
import { CtcTokenizer } from "../../text/tokenizer.js";
import { Vocabulary } from "../../text/vocabulary.js";
import { scoreWindows } from "../emissions/torch-scorer.js";
import { WindowBatches, type WindowScorer } from "./window-batches.js";

const config = createConfig({
  ...{ convDim: [8, 8], convKernel: [10, 3], convStride: [5, 2], hiddenSize: 8, numHiddenLayers: 1 },
  ...{ numAttentionHeads: 2, intermediateSize: 8, numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 2 },
  vocabSize: 4,
});
manualSeed(1);
const ctc: CtcModel = {
  model: new Wav2Vec2ForCTC(config),
  tokenizer: new CtcTokenizer(new Vocabulary(["<pad>", "|", "A", "B"])),
  normalize: false,
};
ctc.model.eval();
const network: WindowScorer = {
  config,
  normalize: false,
  scoreWindows: (windows) => scoreWindows(ctc, windows),
};
const alone: WindowScorer = { ...network, mostWindows: 1 };

const random = new Random(1, "windows");
const samples = (length: number) => Float32Array.from({ length }, () => random.uniform() - 0.5);

describe("windows of several recordings", () => {
  it("are computed together where they are of similar length, and score what each does alone", async () => {
    const sizes: number[] = [];
    const batches = new WindowBatches(network, (windows) => sizes.push(windows));
    const items = [1000, 3000, 950, 1000, 2900].map(samples);
    const scores = await Promise.all(items.map((each) => batches.recording().score(each)));
    expect(sizes.sort()).toEqual([2, 3]);
    for (const [index, each] of items.entries()) {
      const expected = scoreWindows(ctc, [each])[0]!;
      expect(scores[index]!.frames).toBe(expected.frames);
      for (const [at, value] of expected.logits.entries())
        expect(scores[index]!.logits[at]).toBeCloseTo(value, 4);
    }
  });

  it("are no more together than the network takes samples, except one that is longer by itself", async () => {
    const sizes: number[] = [];
    const batches = new WindowBatches({ ...network, mostSamples: 2000 }, (windows) => sizes.push(windows));
    const items = [1000, 1000, 1000, 1000, 3000].map(samples);
    await Promise.all(items.map((each) => batches.recording().score(each)));
    expect(sizes.sort()).toEqual([1, 2, 2]);
  });

  it("take turns: a long recording gets no more of the network than a short one", async () => {
    const batches = new WindowBatches(alone, () => {});
    const order: string[] = [];
    const recognize = async (name: string, windows: number, length: number) => {
      const { score } = batches.recording();
      for (let at = 0; at < windows; at++) {
        await score(samples(length));
        order.push(name);
      }
    };
    const long = recognize("long", 6, 4000);
    while (order.length < 2) await turn();
    await Promise.all([long, recognize("short", 1, 400), recognize("other", 2, 2000)]);
    expect(order.slice(0, 2)).toEqual(["long", "long"]);
    expect(order.indexOf("short")).toBeLessThanOrEqual(3);
    expect(order.lastIndexOf("other")).toBeLessThan(order.lastIndexOf("long"));
  });

  it("wait for a while alone, however many short ones keep coming", async () => {
    const batches = new WindowBatches(alone, () => {});
    const order: string[] = [];
    const clients = Array.from({ length: 3 }, async () => {
      for (let at = 0; at < 20; at++) {
        await batches.recording().score(samples(500));
        order.push("short");
      }
    });
    await turn();
    const long = Promise.resolve(batches.recording().score(samples(4000))).then(() => order.push("long"));
    await Promise.all([...clients, long]);
    expect(order.indexOf("long")).toBeLessThan(25);
  });

  it("fail by themselves", async () => {
    const batches = new WindowBatches(network, () => {});
    const broken = new Array(1000) as unknown as Float32Array; // no samples
    const good = batches.recording().score(samples(1000));
    const bad = batches.recording().score(broken);
    await expect(bad).rejects.toThrow("clips");
    expect((await good).frames).toBeGreaterThan(0);
  });
});
