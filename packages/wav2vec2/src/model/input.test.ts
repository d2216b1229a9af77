import { noGrad, randn, zeros } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { createConfig } from "./configuration.js";
import { Wav2Vec2ForCTC } from "./heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "./heads/pretraining/pretraining.js";
import { sampleSpans } from "./span-mask.js";

const shape = { hiddenSize: 8, intermediateSize: 8, numHiddenLayers: 1, numAttentionHeads: 2 };
const conv = { convDim: [8, 8], convKernel: [10, 8], convStride: [5, 4] };
const positions = { numConvPosEmbeddings: 4, numConvPosEmbeddingGroups: 2 };
const codes = { numCodevectorsPerGroup: 4, codevectorDim: 8, projCodevectorDim: 8, numNegatives: 2 };
const config = createConfig({
  ...shape,
  ...conv,
  ...positions,
  ...codes,
  maskTimeProb: 0.5,
  maskTimeLength: 2,
});
const ctc = new Wav2Vec2ForCTC(config).eval();
const pretraining = new Wav2Vec2ForPreTraining(config).eval();
const input = randn([2, 200]);

describe("forward", () => {
  it.each<[string, unknown[], RegExp]>([
    [
      "a tensor alone",
      [input],
      /must be given an object such as \{ input, lengths \}, but was given a Tensor. Call forward\(\{ input \}\)/,
    ],
    ["nothing", [], /but was given undefined/],
    ["no input", [{}], /must be given input, \[batch, samples\], but it is missing/],
    [
      "samples that are no tensor",
      [{ input: new Float32Array(200) }],
      /input must be a Tensor \[batch, samples\], but is a Float32Array. Make one with tensor/,
    ],
    [
      "Hugging Face's mask",
      [{ input, attentionMask: zeros([2, 200]) }],
      /knows no 'attentionMask'. Use lengths, each clip's own samples/,
    ],
    ["Hugging Face's name", [{ input_values: input }], /knows no 'input_values'. Use input/],
    ["another name", [{ input, length: [200, 200] }], /knows no 'length'. It takes input, features, lengths/],
    [
      "lengths as a number",
      [{ input, lengths: 200 }],
      /lengths must be an Int32Array or an array of numbers.*the number 200/,
    ],
    [
      "a mask as an array",
      [{ input, maskTimeIndices: [1, 0] }],
      /maskTimeIndices must be a Uint8Array of 0 and 1/,
    ],
  ])("refuses %s", (_, given, reason) => {
    const forward = () => noGrad(() => Reflect.apply(ctc.forward, ctc, given));
    expect(forward).toThrow(UserError);
    expect(forward).toThrow(reason);
  });

  it("takes lengths as batches have them", () => {
    const [own, listed] = noGrad(() => [
      ctc.forward({ input, lengths: Int32Array.of(200, 120) }),
      ctc.forward({ input, lengths: [200, 120] }),
    ]);
    expect(own!.frames).toEqual(listed!.frames);
    expect(own!.logits.toArray()).toEqual(listed!.logits.toArray());
    expect(() => ctc.forward({ input, lengths: Int32Array.of(200) })).toThrow(
      /one value for each of the 2 clips/,
    );
  });

  it("has inner states where they are asked for, also by their types", () => {
    const { hiddenStates, attentions } = noGrad(() =>
      ctc.forward({ input, outputHiddenStates: true, outputAttentions: true }),
    );
    expect([hiddenStates.length, attentions.length]).toEqual([2, 1]);
    const states = noGrad(() => pretraining.forward({ input, outputHiddenStates: true })).hiddenStates;
    expect(states[0]!.shape).toEqual([2, 8, 8]);
    expect(noGrad(() => ctc.forward({ input })).hiddenStates).toBeUndefined();
  });
});

describe("a span sampler of one's own", () => {
  it("draws the masks in training, for both kinds of models", () => {
    const rows: number[] = [];
    const sampler: typeof sampleSpans = (lengths, width, spans, uniform) => {
      rows.push(lengths.length);
      return sampleSpans(lengths, width, { ...spans, length: 1 }, uniform);
    };
    for (const model of [ctc, pretraining]) {
      model.wav2vec2.spanSampler = sampler;
      noGrad(() => model.train().forward({ input }));
      noGrad(() => model.eval().forward({ input }));
    }
    expect(rows).toEqual([2, 2]);
  });

  it.each<[string, unknown, RegExp]>([
    [
      "something else",
      [1, 0],
      /must return a Uint8Array of 16 values, \[2, 8\], but returned something else/,
    ],
    ["another size", new Uint8Array(3), /but returned 3 values/],
    ["another value", new Uint8Array(16).fill(2), /step 0 of row 0, which has 8, is 2/],
    ["padding", new Uint8Array(16).fill(1), /step 5 of row 1, which has 5, is 1/],
  ])("must not return %s", (_, mask, reason) => {
    ctc.wav2vec2.spanSampler = (() => mask) as typeof sampleSpans;
    expect(() => noGrad(() => ctc.train().forward({ input, lengths: [200, 125] }))).toThrow(reason);
    ctc.eval();
  });
});
