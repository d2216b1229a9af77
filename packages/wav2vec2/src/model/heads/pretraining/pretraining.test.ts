import { autocast, cat, manualSeed, randn, type Tensor, tensor, zeros } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { createConfig, featureFrames, type Wav2Vec2Config } from "../../configuration.js";
import { maskTensor, torchUniform } from "../../masking.js";
import { sampleNegatives } from "./negatives.js";
import { Wav2Vec2ForPreTraining } from "./pretraining.js";

const tiny: Partial<Wav2Vec2Config> = {
  hiddenSize: 16,
  numHiddenLayers: 2,
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
  hiddenDropout: 0,
  activationDropout: 0,
  attentionDropout: 0,
  layerdrop: 0,
  initializerRange: 0.2,
};

function makeModel(overrides: Partial<Wav2Vec2Config> = {}): Wav2Vec2ForPreTraining {
  manualSeed(1);
  return new Wav2Vec2ForPreTraining(createConfig({ ...tiny, ...overrides }));
}

/** Clips of these lengths behind each other in one padded batch, and alone. */
function clips(lengths: readonly number[]): { batch: Tensor; alone: Tensor[] } {
  manualSeed(2);
  const alone = lengths.map((length) => randn([1, length]));
  const longest = Math.max(...lengths);
  return { batch: cat(alone.map((clip) => clip.pad([0, longest - clip.shape[1]!]))), alone };
}

/** int64 [batch, frames, count] */
function negativesFor(mask: Tensor, count: number): Tensor {
  const negatives = sampleNegatives(mask.toBytes(), mask.shape[1]!, count, torchUniform());
  return tensor(negatives, [...mask.shape, count], { dtype: "int64" });
}

describe("pre-training", () => {
  it("takes masks and negatives as arrays or as tensors", () => {
    const model = makeModel().eval();
    const { batch } = clips([6000, 5000]);
    const time = featureFrames(model.config, 6000);
    const mask = new Uint8Array(2 * time).fill(1, 2, time).fill(1, time + 1, 2 * time);
    const maskTimeIndices = maskTensor(mask, 2, "cpu");
    const sampledNegativeIndices = negativesFor(maskTimeIndices, 6);
    const negatives = Int32Array.from(sampledNegativeIndices.toArray());
    const lossOf = (given: object) =>
      model.forward({ input: batch, lengths: [6000, 5000], ...given }).loss!.item();
    expect(lossOf({ maskTimeIndices: mask, sampledNegativeIndices: negatives })).toBe(
      lossOf({ maskTimeIndices, sampledNegativeIndices }),
    );
    const short = { maskTimeIndices: mask, sampledNegativeIndices: negatives.subarray(1) };
    expect(() => lossOf(short)).toThrow(/must be int64 \[2, \d+, negatives\], but are \d+ numbers/);
    expect(() => lossOf({ maskTimeIndices: mask.subarray(1) })).toThrow(
      /a value for each frame, but is \d+ numbers/,
    );
  });

  it("takes masks and negatives that are views of others", () => {
    const model = makeModel().eval();
    const { batch } = clips([6000]);
    const time = featureFrames(model.config, 6000);
    const wide = maskTensor(new Uint8Array(time + 3).fill(1), 1, "cpu");
    const maskTimeIndices = cat([wide, wide]).narrow(1, 0, time).narrow(0, 0, 1);
    const negatives = negativesFor(maskTimeIndices, 6);
    const transposed = negatives.transpose(1, 2).contiguous().transpose(1, 2);
    const loss = (sampledNegativeIndices: Tensor, mask: Tensor) =>
      model.forward({ input: batch, maskTimeIndices: mask, sampledNegativeIndices }).loss!.item();
    expect(loss(transposed, maskTimeIndices)).toBe(loss(negatives, maskTimeIndices.contiguous()));
  });

  it("samples masks and negatives in training, from the seed", () => {
    const model = makeModel().train();
    const { batch } = clips([6000, 9000]);
    const run = () => {
      manualSeed(7);
      return model.forward({ input: batch, lengths: [6000, 9000] });
    };
    const { loss, maskedFrames, logits } = run();
    expect(maskedFrames).toBeGreaterThan(5);
    expect(logits!.shape).toEqual([maskedFrames, 7]);
    expect(run().loss!.item()).toBe(loss!.item());
    loss!.backward();
    for (const [name, parameter] of model.namedParameters()) {
      expect(parameter.grad?.isfinite().toArray().includes(0), name).toBe(false);
    }
  });

  it("has no loss in evaluation unless masks and negatives are given", () => {
    const model = makeModel().eval();
    const { batch } = clips([6000]);
    const output = model.forward({ input: batch });
    expect(output.loss).toBeUndefined();
    expect(output.projectedStates.shape).toEqual([1, output.frames[0], 10]);
    expect(output.codes.shape).toEqual([1, output.frames[0], 2]);
  });

  it.each([
    ["group norm", { featExtractNorm: "group" }],
    ["layer norm", { featExtractNorm: "layer", doStableLayerNorm: true }],
  ] as const)("of a padded batch adds up to that of its clips alone: %s", (_, overrides) => {
    const lengths = [9000, 5000, 3100];
    const model = makeModel({ ...overrides, diversityLossWeight: 0, featurePenaltyWeight: 0 }).train();
    const { batch, alone } = clips(lengths);
    const frames = lengths.map((length) => featureFrames(model.config, length));
    const time = frames[0]!;
    const mask = new Uint8Array(3 * time);
    for (const [row, count] of frames.entries()) mask.fill(1, row * time + 1, row * time + count - 1);
    const maskTimeIndices = maskTensor(mask, 3, "cpu");
    const sampledNegativeIndices = negativesFor(maskTimeIndices, 6);
    const gumbelNoise = randn([3, time, 2, 12]);
    const together = model.forward({
      input: batch,
      lengths,
      maskTimeIndices,
      sampledNegativeIndices,
      gumbelNoise,
    });
    const parts = alone.map((input, row) => {
      const own = (tensor: Tensor) => tensor.narrow(0, row, 1).narrow(1, 0, frames[row]!);
      return model.forward({
        input,
        maskTimeIndices: own(maskTimeIndices),
        sampledNegativeIndices: own(sampledNegativeIndices)
          .sub(row * time)
          .clamp(0),
        gumbelNoise: own(gumbelNoise),
      });
    });
    const sum = parts.reduce((total, { loss }) => total + loss!.item(), 0);
    expect(Math.abs(together.loss!.item() / sum - 1)).toBeLessThan(1e-5);
    expect(together.maskedFrames).toBe(parts.reduce((total, { maskedFrames }) => total + maskedFrames!, 0));
  });

  it("of two batches, divided once by all masked frames, has the gradient of one; divided after each, another", () => {
    const lengths = [9000, 3100];
    const model = makeModel({ diversityLossWeight: 0 }).train();
    const { batch, alone } = clips(lengths);
    const [time, short] = lengths.map((length) => featureFrames(model.config, length)) as [number, number];
    const mask = new Uint8Array(2 * time).fill(1, 0, time).fill(1, time + 1, time + short);
    const maskTimeIndices = maskTensor(mask, 2, "cpu");
    const sampledNegativeIndices = negativesFor(maskTimeIndices, 6);
    const gumbelNoise = randn([2, time, 2, 12]);
    const own = (tensor: Tensor, row: number) => tensor.narrow(0, row, 1).narrow(1, 0, row ? short : time);
    const gradient = () => model.projectHid.weight.grad!;
    const counts = [time, short - 1];

    const given = { maskTimeIndices, sampledNegativeIndices, gumbelNoise };
    model
      .forward({ input: batch, lengths, ...given })
      .loss!.div(counts[0]! + counts[1]!)
      .backward();
    const whole = gradient().clone();

    const inParts = (after: (row: number) => void) => {
      model.zeroGrad();
      for (const [row, input] of alone.entries()) {
        const negatives = own(sampledNegativeIndices, row)
          .sub(row * time)
          .clamp(0);
        const given = { maskTimeIndices: own(maskTimeIndices, row), sampledNegativeIndices: negatives };
        model.forward({ input, ...given, gumbelNoise: own(gumbelNoise, row) }).loss!.backward();
        after(row);
      }
      return gradient().clone();
    };
    const once = inParts(() => {}).div(counts[0]! + counts[1]!);
    // What Hugging Face's example script does: the first batch's gradient is divided by both counts.
    const repeatedly = inParts((row) => gradient().div_(counts[row]!));
    const difference = (a: Tensor) => a.sub(whole).abs().amax().item() / whole.abs().amax().item();
    expect(difference(once)).toBeLessThan(1e-5);
    expect(difference(repeatedly)).toBeGreaterThan(0.1);
  });

  it("gets through one masked frame and none", () => {
    const model = makeModel().train();
    const { batch } = clips([4000]);
    const time = featureFrames(model.config, 4000);
    for (const masked of [1, 0]) {
      const mask = new Uint8Array(time);
      mask.fill(1, 2, 2 + masked);
      const maskTimeIndices = maskTensor(mask, 1, "cpu");
      const output = model.forward({ input: batch, maskTimeIndices });
      expect(output.maskedFrames).toBe(masked);
      expect(output.contrastiveLoss!.item()).toBe(0); // no distractors, no choice
      model.zeroGrad();
      output.loss!.backward();
      for (const [name, { grad }] of model.namedParameters()) {
        expect(grad?.isfinite().toArray().includes(0), name).toBe(false);
      }
    }
  });

  it("does not count a distractor that has the target's own codes", () => {
    const model = makeModel({ numCodevectorGroups: 1, numCodevectorsPerGroup: 1, codevectorDim: 12 }).train();
    const { batch } = clips([6000]);
    const output = model.forward({ input: batch });
    expect(output.contrastiveLoss!.item()).toBe(0); // all targets are one
    expect(output.logits!.narrow(1, 1, 6).amax().item()).toBe(Number.NEGATIVE_INFINITY);
  });

  it("trains the quantizer through its targets", () => {
    const model = makeModel({ diversityLossWeight: 0 }).train();
    model.forward({ input: clips([9000]).batch }).loss!.backward();
    for (const part of [model.quantizer, model.projectQ]) {
      for (const [name, { grad }] of part.namedParameters()) {
        expect(grad!.abs().amax().item(), name).toBeGreaterThan(0);
      }
    }
  });

  it("scales the gradient into the convolutions, and nothing else, by feature_grad_mult", () => {
    const gradients = (featureGradMult: number) => {
      const model = makeModel({ featureGradMult }).train();
      manualSeed(4);
      const { loss } = model.forward({ input: clips([9000]).batch });
      loss!.backward();
      const ofParameters = [...model.namedParameters()].map(
        ([name, { grad }]) => [name, grad!.norm().item()] as const,
      );
      return { loss: loss!.item(), ...Object.fromEntries(ofParameters) } as Record<string, number>;
    };
    const [whole, tenth] = [gradients(1), gradients(0.1)];
    for (const [name, value] of Object.entries(whole)) {
      const factor = name.includes("feature_extractor") ? 0.1 : 1;
      expect(Math.abs(tenth[name]! - factor * value), name).toBeLessThanOrEqual(2e-5 * factor * value + 1e-9);
    }
  });

  it("adds fairseq's penalty on the convolutions' output", () => {
    const run = (featurePenaltyWeight: number) => {
      const model = makeModel({ featurePenaltyWeight }).train();
      manualSeed(4);
      return model.forward({ input: clips([9000]).batch });
    };
    const [plain, penalised] = [run(0), run(10)];
    expect(plain.featurePenalty).toBeUndefined();
    expect(penalised.featurePenalty!.item()).toBeGreaterThan(0);
    const difference = penalised.loss!.item() - plain.loss!.item();
    expect(difference / (10 * penalised.featurePenalty!.item())).toBeCloseTo(1, 4);
  });
});

describe("lower precision", () => {
  it("leaves similarities and codebooks' use in float32", () => {
    const { batch } = clips([9000]);
    for (const run of [
      () => makeModel().train().forward({ input: batch }),
      () => autocast({ dtype: "bfloat16" }, () => makeModel().train().forward({ input: batch })),
      () =>
        makeModel()
          .to({ dtype: "bfloat16" })
          .train()
          .forward({ input: batch.to({ dtype: "bfloat16" }) }),
    ]) {
      manualSeed(4);
      const { logits, perplexities, loss } = run();
      expect([logits, perplexities, loss].map((tensor) => tensor!.dtype)).toEqual([
        "float32",
        "float32",
        "float32",
      ]);
      loss!.backward();
      // A similarity in bfloat16 would be one of some 256 numbers between 0.5 and 1.
      const values = logits!.narrow(1, 0, 1).flatten();
      const rounded = values.to({ dtype: "bfloat16" }).to({ dtype: "float32" });
      expect(values.sub(rounded).abs().amax().item()).toBeGreaterThan(0);
    }
  });
});

describe("padding", () => {
  it("is not masked by a given mask, unless as Hugging Face has it", () => {
    const { batch } = clips([6000, 2000]);
    const frames = [6000, 2000].map((length) => featureFrames(createConfig(tiny), length));
    const maskTimeIndices = maskTensor(new Uint8Array(2 * frames[0]!).fill(1), 2, "cpu");
    const masked = (referencePadding: boolean) =>
      makeModel({ referencePadding })
        .train()
        .forward({ input: batch, lengths: [6000, 2000], maskTimeIndices }).maskedFrames;
    expect(masked(false)).toBe(frames[0]! + frames[1]!);
    expect(masked(true)).toBe(2 * frames[0]!);
  });
});

describe("pre-training refuses", () => {
  const model = makeModel().eval();
  const input = clips([4000]).batch;
  const time = featureFrames(model.config, 4000);

  it.each<[string, () => unknown, RegExp]>([
    [
      "masks of another shape",
      () => model.forward({ input, maskTimeIndices: zeros([1, time + 1], { dtype: "bool" }) }),
      /maskTimeIndices must be bool \[1, \d+\], a value for each frame, but is bool/,
    ],
    [
      "masks of another type",
      () => model.forward({ input, maskTimeIndices: zeros([1, time]) }),
      /maskTimeIndices must be bool .* but is float32/,
    ],
    [
      "negatives without masks",
      () => model.forward({ input, sampledNegativeIndices: zeros([1, time, 2], { dtype: "int64" }) }),
      /maskTimeIndices must be given with sampledNegativeIndices/,
    ],
    [
      "negatives of another shape",
      () =>
        model.forward({
          input,
          maskTimeIndices: zeros([1, time], { dtype: "bool" }),
          sampledNegativeIndices: zeros([1, time], { dtype: "int64" }),
        }),
      /sampledNegativeIndices must be int64 \[1, \d+, negatives\], but are int64 \[1, \d+\]/,
    ],
    [
      "negatives of another clip",
      () => {
        const two = clips([4000, 4000]).batch;
        const mask = new Uint8Array(2 * time).fill(1);
        const maskTimeIndices = maskTensor(mask, 2, "cpu");
        const sampledNegativeIndices = tensor(new Int32Array(2 * time * 3), [2, time, 3], { dtype: "int64" });
        return model.forward({ input: two, maskTimeIndices, sampledNegativeIndices });
      },
      /must name frames of the masked frame's own clip/,
    ],
    [
      "noise of another shape",
      () =>
        makeModel()
          .train()
          .forward({ input, gumbelNoise: randn([1]) }),
      /gumbelNoise must be \[1, \d+, 2, 12\], .* but is \[1\]/,
    ],
    ["a temperature of 0", () => model.setGumbelTemperature(0), /temperature must be above 0, but is 0/],
    [
      "to sample without masks",
      () => makeModel({ maskTimeProb: 0 }).train().forward({ input }),
      /mask_time_prob must be above 0 for pre-training/,
    ],
    ["adapters", () => makeModel({ addAdapter: true }), /add_adapter must be false for pre-training/],
    [
      "masks without a vector for them",
      () => {
        const maskTimeIndices = maskTensor(new Uint8Array(time).fill(1), 1, "cpu");
        return makeModel({ maskTimeProb: 0, maskFeatureProb: 0 }).eval().forward({ input, maskTimeIndices });
      },
      /mask_time_prob or mask_feature_prob must be above 0/,
    ],
  ])("%s", (_, run, message) => {
    expect(run).toThrow(message);
  });
});
