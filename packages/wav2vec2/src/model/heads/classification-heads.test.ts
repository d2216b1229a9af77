import { manualSeed, noGrad, randn, type Tensor, zeros } from "@wav2vec2/libtorch";
import { beforeEach, describe, expect, it } from "vitest";
import { ConfigurationError, UserError } from "../../errors.js";
import { createConfig, type Wav2Vec2Config } from "../configuration.js";
import { Wav2Vec2ForAudioFrameClassification } from "./audio-frame-classification.js";
import { Wav2Vec2ForSequenceClassification } from "./sequence-classification.js";
import { Wav2Vec2ForXVector, xvectorSamples } from "./xvector.js";

// That they equal Hugging Face's is in test/golden-heads.test.ts.

const tiny = createConfig({
  hiddenSize: 16,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8, 8],
  convKernel: [10, 8, 4],
  convStride: [5, 8, 4],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  classifierProjSize: 12,
  tdnnDim: [8, 10],
  tdnnKernel: [3, 2],
  tdnnDilation: [1, 3],
  xvectorOutputDim: 6,
  id2label: ["a", "b", "c"],
  initializerRange: 0.2,
});
const make = <M>(modelClass: new (config: Wav2Vec2Config) => M, changes: Partial<Wav2Vec2Config> = {}) =>
  new modelClass(createConfig(changes, tiny));
const CLASSES = [
  Wav2Vec2ForSequenceClassification,
  Wav2Vec2ForAudioFrameClassification,
  Wav2Vec2ForXVector,
] as const;

function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().amax().item();
}

beforeEach(() => void manualSeed(3));

describe.each(CLASSES)("%o", (modelClass) => {
  const shapes: Partial<Wav2Vec2Config>[] = [
    {},
    { useWeightedLayerSum: true },
    { featExtractNorm: "layer", doStableLayerNorm: true, useWeightedLayerSum: true },
  ];

  it.each(shapes)("gives a clip the same in a padded batch as alone: %j", (changes) => {
    const lengths = [4800, 3100, 1700];
    const model = make<InstanceType<(typeof CLASSES)[number]>>(modelClass, changes).eval();
    const input = randn([3, 4800]);
    for (const [row, length] of lengths.entries())
      input
        .select(0, row)
        .narrow(0, length, 4800 - length)
        .zero_();
    noGrad(() => {
      const batch = model.forward({ input, lengths });
      for (const [row, length] of lengths.entries()) {
        const alone = model.forward({ input: input.narrow(0, row, 1).narrow(1, 0, length) });
        const own = batch.logits.narrow(0, row, 1);
        const cut = own.shape.length === 3 ? own.narrow(1, 0, alone.frames[0]!) : own;
        expect(difference(cut, alone.logits)).toBeLessThan(1e-5);
      }
    });
  });

  it("counts layers that LayerDrop leaves out in its sum of layers", () => {
    const model = make<InstanceType<(typeof CLASSES)[number]>>(modelClass, {
      useWeightedLayerSum: true,
      layerdrop: 1,
      applySpecAugment: false,
    });
    const { logits, hiddenStates } = model
      .train()
      .forward({ input: randn([1, 3000]), outputHiddenStates: true });
    expect(hiddenStates).toHaveLength(3);
    expect(Number.isFinite(logits.sum().item())).toBe(true);
    expect(model.forward({ input: randn([1, 3000]) }).hiddenStates).toBeUndefined();
  });

  it("learns alone while its backbone waits", () => {
    const model = make<InstanceType<(typeof CLASSES)[number]>>(modelClass, { useWeightedLayerSum: true });
    const all = [...model.namedParameters()].length;
    model.backboneFrozen = true;
    const learning = [...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad);
    expect(learning.every(([key]) => !key.startsWith("wav2vec2."))).toBe(true);
    expect(learning.map(([key]) => key)).toContain("layer_weights");
    model.backboneFrozen = false;
    expect([...model.namedParameters()].filter(([, { requiresGrad }]) => requiresGrad)).toHaveLength(all);
  });

  it("is refused behind convolutions that shorten the output", () => {
    expect(() => make<unknown>(modelClass, { addAdapter: true })).toThrow(ConfigurationError);
    expect(() => make<unknown>(modelClass, { addAdapter: true })).toThrow(
      "add_adapter must be false for a classification head",
    );
  });
});

describe("labels", () => {
  it("that the head does not have are refused", () => {
    for (const model of [make(Wav2Vec2ForSequenceClassification), make(Wav2Vec2ForXVector)]) {
      const { logits } = model.eval().forward({ input: randn([2, 3000]) });
      expect(() => model.loss(logits, [0, 3])).toThrow(UserError);
      expect(() => model.loss(logits, [0, 3])).toThrow(
        "ids from 0 to 2, as the head has 3 labels, but one is 3.",
      );
      expect(() => model.loss(logits, [0, Number.NaN])).toThrow("but one is NaN");
    }
    const frames = make(Wav2Vec2ForAudioFrameClassification);
    const logits = zeros([1, 2, 3]);
    expect(() => frames.loss(logits, [2], new Uint8Array(5))).toThrow(/\[1, 2, 3\] .*, 6 in all, but have 5/);
    expect(() => frames.loss(logits, [2], Uint8Array.of(1, 0, 0, 2, 0, 0))).toThrow("but one is 2");
  });
});

describe("labels of frames", () => {
  const logits = () => randn([1, 3, 3]);
  const given = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 1); // the second has none, the third two

  it("are one a frame, of which the first counts, and frames without are left out", () => {
    const model = make(Wav2Vec2ForAudioFrameClassification);
    const scores = logits();
    const expected = scores.logSoftmax(2).toArray();
    const loss = -(expected[0]! + expected[7]!) / 2;
    expect(model.loss(scores, [3], given).item()).toBeCloseTo(loss, 5);
    expect(model.loss(scores, [2], given).item()).toBeCloseTo(-expected[0]!, 5);
    expect(() => model.loss(scores, [3], new Uint8Array(9))).toThrow("Frames must have labels to learn from");
  });

  it("are any number a frame where the problem type says so", () => {
    const model = make(Wav2Vec2ForAudioFrameClassification, { problemType: "multi_label_classification" });
    const scores = logits();
    const losses = scores.toArray().map((x, i) => Math.log(1 + Math.exp(given[i] ? -x : x)));
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value) / values.length;
    expect(model.loss(scores, [3], given).item()).toBeCloseTo(mean(losses), 5);
    expect(model.loss(scores, [1], given).item()).toBeCloseTo(mean(losses.slice(0, 3)), 5);
  });

  it("are no numbers to be guessed", () => {
    expect(() => make(Wav2Vec2ForAudioFrameClassification, { problemType: "regression" })).toThrow(
      /problem_type must be single_label_classification or multi_label/,
    );
  });
});

describe("an X-vector", () => {
  it("needs two frames behind its time-delay layers", () => {
    const model = make(Wav2Vec2ForXVector).eval();
    const least = xvectorSamples(tiny);
    expect(() => model.forward({ input: randn([1, least - 1]) })).toThrow(
      `Clips must have at least ${least} samples, which make two frames behind the time-delay layers, but clip 0 has`,
    );
    const { embeddings } = model.forward({ input: randn([1, least]) });
    expect(embeddings.toArray().every(Number.isFinite)).toBe(true);
  });

  it("has a gradient where a feature never changes", () => {
    const model = make(Wav2Vec2ForXVector, { applySpecAugment: false });
    noGrad(() => model.tdnn[1]!.kernel.bias!.fill_(-1e3)); // every ReLU is 0 throughout
    const { logits } = model.forward({ input: randn([2, 3000]) });
    model.loss(logits, [0, 1]).backward();
    for (const [key, { grad }] of model.namedParameters())
      expect(Number.isFinite(grad?.abs().amax().item() ?? 0), key).toBe(true);
  });

  it("scores labels by cosines", () => {
    const model = make(Wav2Vec2ForXVector).eval();
    const scores = model.scores(model.forward({ input: randn([2, 3000]) }).logits);
    expect(scores.shape).toEqual([2, 3]);
    expect(scores.toArray().every((score) => Math.abs(score) <= 1)).toBe(true);
  });
});
