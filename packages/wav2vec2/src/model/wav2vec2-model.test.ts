import { cat, manualSeed, nn, noGrad, randn, scope, type Tensor, tensor, zeros } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { adapterFrames, createConfig, featureFrames, type Wav2Vec2Config } from "./configuration.js";
import { Wav2Vec2ForCTC } from "./heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "./heads/pretraining/pretraining.js";
import { minimumSamples } from "./lengths.js";
import { PRESETS } from "./presets.js";
import { Wav2Vec2Model } from "./wav2vec2-model.js";

const tiny: Partial<Wav2Vec2Config> = {
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8, 8],
  convKernel: [10, 8, 4],
  convStride: [5, 4, 4],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  initializerRange: 0.2,
};

function makeModel(overrides: Partial<Wav2Vec2Config>): Wav2Vec2Model {
  manualSeed(1);
  return new Wav2Vec2Model(createConfig({ ...tiny, ...overrides })).eval();
}

function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().amax().item() / b.abs().amax().item();
}

const KINDS: [string, Partial<Wav2Vec2Config>][] = [
  ["group norm", {}],
  ["layer norm", { featExtractNorm: "layer", convBias: true, doStableLayerNorm: true }],
  ["attention adapters", { doStableLayerNorm: true, adapterAttnDim: 4 }],
  ["adapter", { addAdapter: true, numAdapterLayers: 2 }],
  ["adapter of another width", { addAdapter: true, outputHiddenSize: 12, adapterKernelSize: 4 }],
];

describe.each(KINDS)("a clip's output with %s", (_, overrides) => {
  const lengths = [4000, 900, 2311, 3999];
  const model = makeModel(overrides);
  const clips = lengths.map((length) => randn([1, length]));
  const batch = cat(clips.map((clip) => clip.pad([0, 4000 - clip.shape[1]!])));

  it("is the same alone and in a padded batch", () => {
    const together = noGrad(() => model.forward({ input: batch, lengths }));
    for (const [row, clip] of clips.entries()) {
      const alone = noGrad(() => model.forward({ input: clip }));
      expect(together.frames[row]).toBe(alone.frames[0]);
      expect(alone.lastHiddenState.shape[1]).toBe(alone.frames[0]);
      const own = together.lastHiddenState.narrow(0, row, 1).narrow(1, 0, alone.frames[0]!);
      expect(difference(own, alone.lastHiddenState), `clip ${row}`).toBeLessThan(1e-5);
    }
  });

  it("does not depend on the other clips", () => {
    const pair = (other: Tensor) => cat([clips[1]!.pad([0, 3100]), other]);
    const run = (other: Tensor) =>
      noGrad(() => model.forward({ input: pair(other), lengths: [900, 4000] }).lastHiddenState.select(0, 0));
    const frames = adapterFrames(model.config, featureFrames(model.config, 900));
    const [first, second] = [run(randn([1, 4000])), run(zeros([1, 4000]))].map((x) => x.narrow(0, 0, frames));
    expect(difference(first!, second!)).toBeLessThan(1e-6);
  });
});

describe("referencePadding", () => {
  it.each([KINDS[0]!, KINDS[3]!])("lets padding into %s, as Hugging Face does", (_, overrides) => {
    const clip = randn([1, 900]);
    const batch = cat([clip.pad([0, 3100]), randn([1, 4000])]);
    const change = (referencePadding: boolean) => {
      const model = makeModel({ ...overrides, referencePadding });
      return noGrad(() => {
        const alone = model.forward({ input: clip });
        const together = model.forward({ input: batch, lengths: [900, 4000] });
        const own = together.lastHiddenState.narrow(0, 0, 1).narrow(1, 0, alone.frames[0]!);
        return difference(own, alone.lastHiddenState);
      });
    };
    expect(change(true)).toBeGreaterThan(1e-2);
    expect(change(false)).toBeLessThan(1e-5);
  });
});

describe("inner states", () => {
  it("come on request only, and are those of the same pass", () => {
    const model = makeModel({ doStableLayerNorm: true });
    const input = randn([2, 3000]);
    const plain = model.forward({ input });
    expect([plain.hiddenStates, plain.attentions]).toEqual([undefined, undefined]);
    const shown = model.forward({
      input,
      lengths: [3000, 2000],
      outputHiddenStates: true,
      outputAttentions: true,
    });
    const time = shown.lastHiddenState.shape[1]!;
    expect(shown.hiddenStates).toHaveLength(3);
    expect(difference(model.encoder.layerNorm.forward(shown.hiddenStates![2]!), shown.lastHiddenState)).toBe(
      0,
    );
    expect(shown.attentions!.map(({ shape }) => shape)).toEqual([0, 1].map(() => [2, 2, time, time]));
    const unseen = shown.attentions![0]!.select(0, 1).narrow(2, shown.frames[1]!, time - shown.frames[1]!);
    expect(unseen.amax().item()).toBe(0);
  });
});

describe("randomness of training", () => {
  it("is in LayerDrop: all layers left out leave the positions", () => {
    const model = makeModel({ layerdrop: 1, applySpecAugment: false, hiddenDropout: 0 });
    const { hiddenStates, lastHiddenState } = model
      .train()
      .forward({ input: randn([1, 3000]), outputHiddenStates: true });
    expect(hiddenStates).toHaveLength(1);
    expect(difference(lastHiddenState, hiddenStates![0]!)).toBe(0);
  });

  it("is given from outside where someone says which layers are left out, in training alone", () => {
    const model = makeModel({ layerdrop: 1, applySpecAugment: false, hiddenDropout: 0 });
    const read = () =>
      model.forward({ input: randn([1, 3000]), outputHiddenStates: true }).hiddenStates!.length;
    model.train();
    model.encoder.skippedLayers = new Set();
    expect(read()).toBe(3);
    model.encoder.skippedLayers = new Set([1]);
    expect(read()).toBe(2);
    model.eval();
    expect(read()).toBe(3);
  });

  it("changes an adapter's length and says so", () => {
    const model = makeModel({ addAdapter: true, layerdrop: 1, applySpecAugment: false }).train();
    const { frames, featureFrames, lastHiddenState } = model.forward({ input: randn([1, 3000]) });
    expect(frames).toEqual(featureFrames);
    expect(lastHiddenState.shape[1]).toBe(frames[0]);
  });
});

describe("bad input", () => {
  const model = makeModel({});
  const nan = () => {
    const values = new Float32Array(4000);
    values[2000 + 7] = Number.NaN;
    return tensor(values, [2, 2000]);
  };
  it.each<[string, () => unknown, RegExp]>([
    [
      "one dimension",
      () => model.forward({ input: zeros([2000]) }),
      /input must be \[batch, samples\], but is \[2000\]/,
    ],
    [
      "two channels",
      () => model.forward({ input: zeros([1, 2, 2000]) }),
      /of one channel, but is \[1, 2, 2000\]\. Mix/,
    ],
    ["no clip", () => model.forward({ input: zeros([0, 2000]) }), /at least one clip, but holds none/],
    ["NaN", () => model.forward({ input: nan() }), /finite numbers, but sample 7 of clip 1 is NaN/],
    [
      "too few lengths",
      () => model.forward({ input: zeros([2, 2000]), lengths: [2000] }),
      /one value for each of the 2 clips, but has 1/,
    ],
    [
      "too long lengths",
      () => model.forward({ input: zeros([1, 2000]), lengths: [2001] }),
      /at most 2000, the input's samples, but clip 0 has 2001/,
    ],
    [
      "no frame",
      () => model.forward({ input: zeros([2, 2000]), lengths: [2000, 100] }),
      /at least 105 samples, which make one frame, but clip 1 has 100\. Pad it/,
    ],
    [
      "integers",
      () => model.forward({ input: zeros([1, 2000], { dtype: "int64" }) }),
      /floating point, but is int64/,
    ],
    [
      "no frame behind an adapter",
      () =>
        makeModel({ addAdapter: true, adapterKernelSize: 5 }).forward({
          input: zeros([2, 4000]),
          lengths: [4000, 700],
        }),
      /at least \d+ samples, which make one frame, but clip 1 has 700/,
    ],
    ["no samples", () => model.forward({ input: zeros([1, 0]) }), /at least 105 samples/],
    [
      "a CTC head without a vocabulary",
      () => new Wav2Vec2ForCTC(createConfig({ ...tiny, vocabSize: null, padTokenId: null })),
      /vocab_size and pad_token_id of the model configuration must be set for a CTC head, but are null/,
    ],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(UserError);
    expect(run).toThrow(message);
  });

  it.each(KINDS)("the fewest samples make one frame, one less none: %s", (_, overrides) => {
    const short = makeModel({ ...overrides, adapterKernelSize: 5 });
    const fewest = minimumSamples(short.config);
    expect(short.forward({ input: zeros([1, fewest]) }).frames).toEqual([1]);
    expect(() => short.forward({ input: zeros([1, fewest - 1]) })).toThrow(`at least ${fewest} samples`);
  });

  it("leaves large finite sums alone", () => {
    expect(() =>
      model.forward({ input: tensor(new Float32Array(2000).fill(3e38), [1, 2000]) }),
    ).not.toThrow();
  });
});

describe("presets", () => {
  // Counted by transformers 5.23.
  it.each([
    ["base", 95_044_608, 94_396_320],
    ["large", 317_380_864, 315_461_792],
    ["large-lv60", 317_390_592, 315_471_520],
    ["xlsr-300m", 317_390_592, 315_471_520],
  ] as const)("%s has the published number of parameters", (name, pretraining, ctc) => {
    const count = (Model: typeof Wav2Vec2ForPreTraining | typeof Wav2Vec2ForCTC) =>
      scope(() => nn.init.deferred(() => new Model(PRESETS[name])).parameterCount());
    expect(count(Wav2Vec2ForPreTraining)).toBe(pretraining);
    expect(count(Wav2Vec2ForCTC)).toBe(ctc);
  });
});
