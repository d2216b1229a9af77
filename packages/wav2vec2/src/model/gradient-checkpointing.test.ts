import { manualSeed, memoryStatistics, randn, releaseMemory, scope } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { createConfig, type Wav2Vec2Config } from "./configuration.js";
import { Wav2Vec2ForCTC } from "./heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "./heads/pretraining/pretraining.js";
import { type ModelInput, Wav2Vec2Model } from "./wav2vec2-model.js";

const tiny: Partial<Wav2Vec2Config> = {
  hiddenSize: 16,
  numHiddenLayers: 4,
  numAttentionHeads: 2,
  intermediateSize: 24,
  convDim: [8, 8, 8],
  convKernel: [10, 8, 4],
  convStride: [5, 8, 8],
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  numCodevectorsPerGroup: 12,
  codevectorDim: 12,
  projCodevectorDim: 10,
  numNegatives: 6,
  maskTimeLength: 3,
  maskTimeProb: 0.6,
  hiddenDropout: 0.2,
  activationDropout: 0.2,
  attentionDropout: 0.2,
  layerdrop: 0.3,
  initializerRange: 0.2,
};

const KINDS: [string, Partial<Wav2Vec2Config>][] = [
  ["base", {}],
  ["large", { featExtractNorm: "layer", convBias: true, doStableLayerNorm: true, adapterAttnDim: 4 }],
];

/** Loss and every gradient of three seeded passes over a padded batch. */
function pretrain(overrides: Partial<Wav2Vec2Config>, checkpoints: boolean, frozen: boolean) {
  manualSeed(1);
  const model = new Wav2Vec2ForPreTraining(createConfig({ ...tiny, ...overrides }));
  model.gradientCheckpointingEnable(checkpoints);
  if (frozen)
    for (const part of [model.wav2vec2.featureExtractor, model.wav2vec2.featureProjection]) part.freeze();
  const input = randn([2, 9000]);
  const losses: number[] = [];
  for (let pass = 0; pass < 3; pass++) {
    scope(() => {
      const { loss } = model.forward({ input, lengths: [9000, 6000] });
      losses.push(loss!.item());
      loss!.backward();
    });
  }
  const gradients = Array.from(
    model.namedParameters(),
    ([name, { grad }]) => [name, grad && Buffer.from(grad.toBytes()).toString("hex")] as const,
  );
  return { losses, gradients: new Map(gradients) };
}

describe.each(KINDS)("gradient checkpointing of a %s model", (_, overrides) => {
  it.each([false, true])("changes no bit of loss and gradients (features frozen: %s)", (frozen) => {
    const ordinary = pretrain(overrides, false, frozen);
    const saving = pretrain(overrides, true, frozen);
    expect(saving.losses).toEqual(ordinary.losses);
    expect(new Set(ordinary.losses).size).toBe(3);
    for (const [name, gradient] of ordinary.gradients)
      expect(saving.gradients.get(name), name).toEqual(gradient);
    expect(saving.gradients.get("wav2vec2.encoder.layers.3.attention.q_proj.weight")).toBeDefined();
  });
});

describe("gradient checkpointing", () => {
  it("shows inner states on request, those of the same pass", () => {
    manualSeed(1);
    const model = new Wav2Vec2Model(createConfig({ ...tiny, layerdrop: 0 })).train();
    const input = randn([2, 9000]);
    const run = (checkpoints: boolean, wanted: Partial<ModelInput>) => {
      model.gradientCheckpointingEnable(checkpoints);
      manualSeed(5);
      const { hiddenStates, attentions } = model.forward({ input, lengths: [9000, 6000], ...wanted });
      return [hiddenStates, attentions].map((states) => states?.map((state) => state.toArray()));
    };
    for (const wanted of [{ outputHiddenStates: true }, { outputAttentions: true }]) {
      expect(run(true, wanted)).toEqual(run(false, wanted));
    }
    const [hiddenStates] = run(true, { outputHiddenStates: true });
    expect(hiddenStates).toHaveLength(5);
  });

  it("is a matter of training, and can be switched off", () => {
    manualSeed(1);
    const model = new Wav2Vec2ForCTC(createConfig({ ...tiny, vocabSize: 5, padTokenId: 0, layerdrop: 0 }));
    const input = randn([1, 9000]);
    const calls = () => {
      let count = 0;
      for (const layer of model.wav2vec2.encoder.layers) {
        const { forward } = Object.getPrototypeOf(layer);
        layer.forward = (...parameters) => {
          count++;
          return forward.apply(layer, parameters);
        };
      }
      scope(() => model.forward({ input }).logits.sum().backward());
      return count;
    };
    expect(calls()).toBe(4);
    model.gradientCheckpointingEnable();
    expect(calls()).toBe(8);
    model.eval();
    expect(calls()).toBe(4);
    model.train().gradientCheckpointingEnable(false);
    expect(calls()).toBe(4);
  });

  it("saves memory", () => {
    const shape = { hiddenSize: 64, intermediateSize: 512, numHiddenLayers: 16, layerdrop: 0 };
    const peak = (checkpoints: boolean) => {
      manualSeed(1);
      const model = new Wav2Vec2Model(createConfig({ ...tiny, ...shape })).train();
      model.gradientCheckpointingEnable(checkpoints);
      const input = randn([2, 64_000]);
      releaseMemory();
      const before = memoryStatistics();
      scope(() => model.forward({ input }).lastHiddenState.sum().backward());
      expect(memoryStatistics().liveTensors).toBe(before.liveTensors);
      return memoryStatistics().peakBytes - before.liveBytes;
    };
    expect(peak(true)).toBeLessThan(0.6 * peak(false));
  });
});
