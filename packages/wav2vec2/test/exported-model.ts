import { join } from "node:path";
import { manualSeed, noGrad, randn, tensor } from "@wav2vec2/libtorch";
import { exportOnnx } from "../src/export/export-onnx.js";
import { createConfig } from "../src/model/configuration.js";
import { Wav2Vec2ForCTC } from "../src/model/heads/ctc.js";
import type { CtcModel } from "../src/pretrained/ctc-directory.js";
import { CtcTokenizer } from "../src/text/tokenizer.js";
import { Vocabulary } from "../src/text/vocabulary.js";

/** A network of random weights that says something of any sound, exported to a directory below `root`. */
export async function exportedModel(
  root: string,
  name = "model",
  seed = 3,
): Promise<{ ctc: CtcModel; directory: string }> {
  manualSeed(seed);
  const tokenizer = new CtcTokenizer(new Vocabulary(["<pad>", "<s>", "</s>", "<unk>", "|", ..."ABCDE"]));
  const model = new Wav2Vec2ForCTC(
    createConfig({
      vocabSize: tokenizer.vocabulary.size,
      hiddenSize: 24,
      numHiddenLayers: 2,
      numAttentionHeads: 3,
      intermediateSize: 40,
      convDim: Array(7).fill(12),
      numConvPosEmbeddings: 6,
      numConvPosEmbeddingGroups: 2,
      initializerRange: 0.2,
    }),
  );
  noGrad(() => {
    for (const parameter of model.parameters()) parameter.add_(randn(parameter.shape).mul(0.1));
    model.lmHead.bias!.copy_(tensor([-1.5, -9, -9, -9, 0, 0, 0, 0, 0, 0]));
  });
  const ctc = { model, tokenizer, normalize: true };
  const directory = join(root, name);
  await exportOnnx(ctc, directory, { longest: 1 });
  return { ctc, directory };
}

/** A sound that changes all the time. */
export function changingSound(seconds: number): Float32Array {
  return Float32Array.from(
    { length: seconds * 16000 },
    (_, t) => (Math.sin(t / 5) * Math.sin(t / 3000)) / 2 + Math.sin(t / (2 + t / 9000)) / 4,
  );
}
