import { manualSeed, noGrad, randn, scope } from "@wav2vec2/libtorch";
import { expect, it } from "vitest";
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
