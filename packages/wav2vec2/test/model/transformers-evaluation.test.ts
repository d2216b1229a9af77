import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { manualSeed, noGrad } from "@wav2vec2/libtorch";
import { expect, it } from "vitest";
import { evaluateModel } from "../../src/evaluation/evaluate.js";
import { writeResult } from "../../src/evaluation/result-file.js";
import { createConfig } from "../../src/model/configuration.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { sharedData } from "../fixtures/shared-data.js";

// What `evaluate` says of a model on real speech is what transformers hears and jiwer counts, clip by clip; see
// reference/check_evaluation.py. Needs a Python with reference/requirements.txt, named by TRANSFORMERS_PYTHON.

const run = promisify(execFile);
const python = process.env.TRANSFORMERS_PYTHON;
const CHECK = fileURLToPath(new URL("../../../../reference/check_evaluation.py", import.meta.url));
const speech = sharedData("LibriSpeech-mini");
const ready =
  python !== undefined &&
  speech.isThere &&
  (await run(python, ["-c", "import jiwer, soundfile"]).then(
    () => true,
    () => false,
  ));

it.skipIf(!ready)(
  "evaluate equals transformers and jiwer on LibriSpeech-mini (skipped without TRANSFORMERS_PYTHON, jiwer, soundfile or the data)",
  { timeout: 300_000 },
  async () => {
    const directory = await mkdtemp(join(tmpdir(), "transformers-evaluation-"));
    try {
      manualSeed(4);
      const vocabulary = Vocabulary.fromTranscripts(["ABCDEFGHIJKLMNOPQRSTUVWXYZ'"]);
      const model = new Wav2Vec2ForCTC(
        createConfig({
          hiddenSize: 32,
          numHiddenLayers: 2,
          numAttentionHeads: 2,
          intermediateSize: 64,
          convDim: [24, 24, 24, 24],
          convKernel: [10, 8, 4, 4],
          convStride: [5, 4, 4, 4],
          numConvPosEmbeddings: 16,
          numConvPosEmbeddingGroups: 4,
          vocabSize: vocabulary.size,
          padTokenId: vocabulary.blankId,
          initializerRange: 0.3,
        }),
      );
      noGrad(() => model.lmHead.bias!.zero_()); // so that it hears letters everywhere
      await saveCtcModel(join(directory, "model"), {
        model,
        tokenizer: new CtcTokenizer(vocabulary),
        normalize: true,
      });
      const options = { data: speech.path, split: "test-other", beamWidth: 1, resamples: 100 };
      const { processingSeconds, ...result } = await evaluateModel(join(directory, "model"), options);
      expect(new Set(result.utterances.map(({ hypothesis }) => hypothesis)).size).toBeGreaterThan(90);
      await writeResult(join(directory, "result.json"), result);
      const { stdout } = await run(python!, [CHECK, join(directory, "result.json")]);
      const [wer, cer] = [result.wer.toFixed(6), result.cer.toFixed(6)];
      expect(stdout).toBe(`100 clips, 0 differences: WER ${wer}, CER ${cer}\n`);
    } finally {
      await rm(directory, { recursive: true });
    }
  },
);
