import { manualSeed, noGrad, randn, scope, tensor } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { createConfig } from "../configuration.js";
import { Wav2Vec2ForCTC } from "./ctc.js";

it("a new head finds blank likelier than any other token in most frames, whatever the seed", () => {
  const config = createConfig({
    ...{ hiddenSize: 64, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 64, hiddenDropout: 0 },
    ...{ convDim: [16, 16], convKernel: [40, 8], convStride: [40, 8], numConvPosEmbeddings: 8 },
    ...{ numConvPosEmbeddingGroups: 2, vocabSize: 30, padTokenId: 3 },
  });
  for (let seed = 0; seed < 20; seed++) {
    manualSeed(seed);
    const likeliest = scope(() => {
      const model = new Wav2Vec2ForCTC(config).eval();
      const { logits } = noGrad(() => model.forward({ input: randn([1, 16_000]) }));
      return logits.argmax(-1).toArray().map(Number);
    });
    const blanks = likeliest.filter((token) => token === 3).length;
    expect(blanks / likeliest.length, `seed ${seed}`).toBeGreaterThan(0.8);
  }
});

describe("labels in another form", () => {
  const config = createConfig({
    ...{ hiddenSize: 8, numHiddenLayers: 1, numAttentionHeads: 1, intermediateSize: 8, convDim: [8] },
    ...{ convKernel: [400], convStride: [320], numConvPosEmbeddings: 2, numConvPosEmbeddingGroups: 1 },
    ...{ vocabSize: 8, padTokenId: 0, ctcZeroInfinity: true },
  });
  const model = new Wav2Vec2ForCTC(config).eval();
  const { logits, frames } = noGrad(() => model.forward({ input: randn([2, 16_000]) }));
  const ids = tensor([5, 6, 7], { dtype: "int64" });

  it.each([
    ["clip by clip", [[5, 6], [7]], "Give { labels: clips.flat(), labelLengths: clips.map("],
    [
      "clip by clip in an object",
      { labels: [[5, 6], [7]], labelLengths: [2, 1] },
      "Give { labels: clips.flat()",
    ],
    ["a tensor", { labels: ids, labelLengths: [2, 1] }, "Give numbers: labels.toArray()."],
    [
      "bigints",
      { labels: ids.toTypedArray(), labelLengths: [2, 1] },
      "Give numbers: Array.from(labels, Number).",
    ],
  ])("%s are told what to be", (_, targets, advice) => {
    expect(() => model.loss(logits, frames, targets as never)).toThrow("must be { labels, labelLengths }");
    expect(() => model.loss(logits, frames, targets as never)).toThrow(advice);
  });

  it("frames that are bigints are told whose to give", () => {
    const bigints = BigInt64Array.from(frames, BigInt) as never;
    const targets = { labels: [5, 6, 7], labelLengths: [2, 1] };
    expect(() => model.loss(logits, bigints, targets)).toThrow(
      "frames of loss must be a list of each clip's own frames",
    );
  });
});
