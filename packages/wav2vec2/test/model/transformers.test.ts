import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { loadTensors, manualSeed, noGrad, randn, saveTensors, type Tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createConfig, type Wav2Vec2Config } from "../../src/model/configuration.js";
import { Wav2Vec2ForAudioFrameClassification } from "../../src/model/heads/audio-frame-classification.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { Wav2Vec2ForSequenceClassification } from "../../src/model/heads/sequence-classification.js";
import { Wav2Vec2ForXVector } from "../../src/model/heads/xvector.js";
import { classOfType } from "../../src/model/model-type.js";
import { Wav2Vec2Model } from "../../src/model/wav2vec2-model.js";
import { loadModel, saveModel } from "../../src/pretrained/model-directory.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";

// Directories saved here load in Hugging Face transformers without a warning and give the same numbers there, and
// what transformers saves, in every file format, gives the same numbers here. Needs a Python with
// reference/requirements.txt, named by TRANSFORMERS_PYTHON; reference/exchange.py is its side.

const python = process.env.TRANSFORMERS_PYTHON;
const EXCHANGE = new URL("../../../../reference/exchange.py", import.meta.url).pathname;
const run = promisify(execFile);

const tiny: Partial<Wav2Vec2Config> = {
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 2,
  intermediateSize: 40,
  convDim: [16, 16, 16],
  convKernel: [10, 8, 4],
  convStride: [5, 8, 8],
  numConvPosEmbeddings: 16,
  numConvPosEmbeddingGroups: 4,
  numCodevectorsPerGroup: 6,
  codevectorDim: 16,
  projCodevectorDim: 12,
  vocabSize: 9,
  initializerRange: 0.2,
  tdnnDim: [8, 10],
  tdnnKernel: [3, 2],
  tdnnDilation: [1, 2],
  xvectorOutputDim: 6,
};
const SHAPES: [string, Partial<Wav2Vec2Config>][] = [
  ["BASE", {}],
  ["LARGE", { featExtractNorm: "layer", convBias: true, doStableLayerNorm: true }],
  ["attention adapters", { doStableLayerNorm: true, adapterAttnDim: 4 }],
  ["adapter", { addAdapter: true, outputHiddenSize: 20 }],
  [
    "sum of layers, labels",
    {
      useWeightedLayerSum: true,
      classifierProjSize: 10,
      id2label: ["no", "yes", "7"],
      problemType: "multi_label_classification",
    },
  ],
  ["no masks", { maskTimeProb: 0, maskFeatureProb: 0 }],
  ["HuBERT", { modelType: "hubert" }],
  ["HuBERT, batch norm", { modelType: "hubert", convPosBatchNorm: true, featProjLayerNorm: false }],
  ["data2vec", { modelType: "data2vec-audio", featExtractNorm: "layer", numConvPosEmbeddings: 3 }],
  ["UniSpeech-SAT", { modelType: "unispeech-sat" }],
  ["own keys", { referencePadding: true, featureGradMult: 0.1, featurePenaltyWeight: 10 }],
];
const CLASSES = {
  Wav2Vec2Model,
  Wav2Vec2ForPreTraining,
  Wav2Vec2ForCTC,
  Wav2Vec2ForSequenceClassification,
  Wav2Vec2ForAudioFrameClassification,
  Wav2Vec2ForXVector,
} as const;
type ClassName = keyof typeof CLASSES;

/** What the two sides compare. */
function outputOf(model: InstanceType<(typeof CLASSES)[ClassName]>, input: Tensor): Tensor {
  return noGrad(() => {
    if (model instanceof Wav2Vec2Model) return model.forward({ input }).lastHiddenState;
    if (model instanceof Wav2Vec2ForPreTraining) return model.forward({ input }).projectedQuantizedStates;
    if (model instanceof Wav2Vec2ForXVector) return model.forward({ input }).embeddings;
    return model.forward({ input }).logits;
  });
}

function difference(a: Tensor, b: Tensor): number {
  expect(a.shape).toEqual(b.shape);
  return a.sub(b).abs().amax().item() / b.abs().amax().item();
}

const FORMATS = ["safetensors", "sharded", "bin", "sharded-bin", "weight_g"];

/** Heads that transformers has for every type but pre-training's own. */
const IN_ALL_TYPES: readonly ClassName[] = [
  "Wav2Vec2Model",
  "Wav2Vec2ForCTC",
  "Wav2Vec2ForSequenceClassification",
];

const cases = SHAPES.flatMap(([shape, overrides]) =>
  (Object.keys(CLASSES) as ClassName[])
    .filter((name) => !overrides.addAdapter || name === "Wav2Vec2Model" || name === "Wav2Vec2ForCTC")
    .filter((name) => !overrides.modelType || IN_ALL_TYPES.includes(name))
    .map((name) => ({
      shape,
      name,
      overrides,
      theirs: classOfType(name, overrides.modelType ?? "wav2vec2"),
    })),
);

describe.skipIf(!python)("transformers (skipped without TRANSFORMERS_PYTHON)", () => {
  let directory: string;
  let input: Tensor;
  let reports: unknown[];
  const paths = (i: number) => ({
    directory: join(directory, String(i)),
    input: join(directory, "input.safetensors"),
    output: join(directory, `${i}-output.safetensors`),
    saved: join(directory, `${i}-saved`),
  });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "transformers-"));
    manualSeed(9);
    input = randn([1, 8000]);
    await saveTensors(join(directory, "input.safetensors"), [["input", input]]);
    const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["ABCD"]));
    for (const [i, { name, overrides }] of cases.entries()) {
      const model = new CLASSES[name](createConfig({ ...tiny, ...overrides }));
      await saveModel(paths(i).directory, model, {
        normalize: true,
        ...(name === "Wav2Vec2ForCTC" && { tokenizer }),
      });
    }
    const jobs = join(directory, "jobs.json");
    await writeFile(jobs, JSON.stringify(cases.map(({ theirs }, i) => ({ class: theirs, ...paths(i) }))));
    const { stdout, stderr } = await run(python!, [EXCHANGE, jobs]);
    expect(stderr).toBe("");
    reports = JSON.parse(stdout);
  }, 300_000);
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it.each(cases.map((one, i) => ({ ...one, i })))(
    "reads what is saved here, and back: $shape, $name",
    async ({ name, i }) => {
      expect(reports[i]).toEqual({
        missing_keys: [],
        unexpected_keys: [],
        mismatched_keys: [],
        warnings: [],
      });
      const { tensors } = await loadTensors(paths(i).output);
      const expected = tensors.get("output")!;
      const ours = JSON.parse(await readFile(join(paths(i).directory, "config.json"), "utf8"));
      for (const format of FORMATS) {
        const theirs = join(paths(i).saved, format);
        const loaded = (await loadModel(CLASSES[name] as typeof Wav2Vec2Model, theirs)).eval();
        expect(difference(outputOf(loaded, input), expected), format).toBeLessThan(1e-5);
        const config = JSON.parse(await readFile(join(theirs, "config.json"), "utf8"));
        for (const [key, value] of Object.entries(ours)) expect(config[key], key).toEqual(value);
      }
    },
  );
});
