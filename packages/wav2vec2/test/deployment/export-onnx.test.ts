import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, randn, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { exportOnnx } from "../../src/export/export-onnx.js";
import { DTYPES } from "../../src/export/onnx/dtypes.js";
import { createConfig, type Wav2Vec2Config } from "../../src/model/configuration.js";
import { Wav2Vec2ForCTC } from "../../src/model/heads/ctc.js";
import { type CtcModel, saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { loadOnnxRecognizer } from "../../src/recognition/load-onnx-recognizer.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { characterErrors, sumErrors } from "../../src/text/scoring/error-rate.js";
import { CtcTokenizer } from "../../src/text/tokenizer.js";
import { Vocabulary } from "../../src/text/vocabulary.js";
import { PROGRAM } from "../training/training-process.js";

const LETTERS = ["<pad>", "<s>", "</s>", "<unk>", "|", "A", "B", "C", "D", "E"];
const TINY: Partial<Wav2Vec2Config> = {
  vocabSize: LETTERS.length,
  hiddenSize: 24,
  numHiddenLayers: 2,
  numAttentionHeads: 3,
  intermediateSize: 40,
  convDim: Array(7).fill(12),
  numConvPosEmbeddings: 6,
  numConvPosEmbeddingGroups: 2,
  initializerRange: 0.2,
};
const LAYER: Partial<Wav2Vec2Config> = {
  ...TINY,
  featExtractNorm: "layer",
  convBias: true,
  doStableLayerNorm: true,
};
const KINDS: [string, Partial<Wav2Vec2Config>][] = [
  ["BASE's", TINY],
  [
    "BASE's with bias, an odd positional kernel and other activations",
    {
      ...TINY,
      convBias: true,
      numConvPosEmbeddings: 5,
      featExtractActivation: "relu",
      hiddenAct: "gelu_new",
      layerNormEps: 1e-3,
    },
  ],
  ["LARGE's", LAYER],
  ["LARGE's with attention adapters", { ...LAYER, adapterAttnDim: 4, hiddenAct: "silu" }],
  [
    "HuBERT's with a batch norm",
    { ...TINY, modelType: "hubert", convPosBatchNorm: true, featProjLayerNorm: false },
  ],
  [
    "data2vec's",
    {
      ...LAYER,
      doStableLayerNorm: false,
      modelType: "data2vec-audio",
      numConvPosEmbeddings: 3,
      convPosKernelSize: 5,
    },
  ],
  ["layer norms in front of BASE's layers", { ...TINY, featExtractNorm: "layer" }],
];

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "export-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Every parameter random, so that none is left out unseen. */
function recogniser(overrides: Partial<Wav2Vec2Config>): CtcModel {
  manualSeed(3);
  const model = new Wav2Vec2ForCTC(createConfig(overrides));
  noGrad(() => {
    for (const parameter of model.parameters()) parameter.add_(randn(parameter.shape).mul(0.1));
  });
  return { model, tokenizer: new CtcTokenizer(new Vocabulary(LETTERS)), normalize: true };
}

// A directory with node_modules of @huggingface/transformers and sherpa-onnx-node.
const clients = process.env.ONNX_CLIENTS;

const CLIENT = `
  import { createRequire } from "node:module";
  const [root, name] = process.argv.slice(2);
  const require = createRequire(process.env.ONNX_CLIENTS + "/");
  const { pipeline, env } = require("@huggingface/transformers");
  env.localModelPath = root;
  env.allowRemoteModels = false;
  const samples = Float32Array.from({ length: 32000 }, (_, t) => SAMPLE);
  const texts = {};
  for (const dtype of ["fp32", "fp16", "int8", "q8", "q4"]) {
    const recognise = await pipeline("automatic-speech-recognition", name, { dtype });
    texts[dtype] = (await recognise(samples)).text;
  }
  const sherpa = require("sherpa-onnx-node");
  for (const file of ["model", "model_quantized", "model_q4"]) {
    const model = root + name + "/onnx/" + file + ".onnx";
    const modelConfig = { omnilingual: { model }, tokens: root + name + "/tokens.txt" };
    const recognizer = new sherpa.OfflineRecognizer({ featConfig: { sampleRate: 16000, featureDim: 80 }, modelConfig });
    const stream = recognizer.createStream();
    stream.acceptWaveform({ sampleRate: 16000, samples });
    recognizer.decode(stream);
    texts["sherpa " + file] = recognizer.getResult(stream).text;
  }
  console.log(JSON.stringify(texts));
`;
const SAMPLE = "Math.sin(t / 5) * Math.sin(t / 3000) / 2 + Math.sin(t / (2 + t / 9000)) / 4";

describe.skipIf(clients === undefined)("other programs (where ONNX_CLIENTS names their node_modules)", () => {
  it.each([KINDS[0]!, KINDS[2]!])("transcribe as the model does: %s network", async (name, overrides) => {
    const ctc = recogniser(overrides);
    noGrad(() => ctc.model.lmHead.bias!.copy_(tensor([-1.5, -9, -9, -9, 0, 0, 0, 0, 0, 0])));
    const folder = `client-${name.replaceAll(/\W/g, "-")}`;
    await exportOnnx(ctc, join(directory, folder), { longest: 1, dtype: DTYPES });
    const sampleAt = new Function("t", `return ${SAMPLE}`) as (t: number) => number;
    const samples = Float32Array.from({ length: 32000 }, (_, t) => sampleAt(t));
    const { text } = await new Recognizer(ctc, { beamWidth: 1 }).transcribe(samples);
    const program = join(directory, "client.mjs");
    writeFileSync(program, CLIENT.replace("SAMPLE", SAMPLE));
    const env = { ...process.env, LD_LIBRARY_PATH: `${clients}/node_modules/sherpa-onnx-linux-x64` };
    const output = execFileSync(process.execPath, [program, `${directory}/`, folder], {
      env,
      encoding: "utf8",
    });
    // Of each file the text that it has here; float32's is the model's.
    const textIn = async (dtype: string): Promise<string> => {
      const recognizer = await loadOnnxRecognizer(join(directory, folder), { dtype, beamWidth: 1 });
      const { text: own } = await recognizer.transcribe(samples);
      await recognizer.close();
      return own;
    };
    expect(text).not.toBe("");
    const texts = JSON.parse(output) as Record<string, string>;
    expect(texts.fp32).toBe(text);
    for (const dtype of ["fp16", "int8", "q8"]) expect(texts[dtype], dtype).toBe(await textIn(dtype));
    expect(texts["sherpa model"]).toBe(text);
    expect(texts["sherpa model_quantized"]).toBe(texts.q8);
    // Builds of onnxruntime round what q4's products are given differently, and scores of random weights are nearly ties.
    for (const other of [texts["sherpa model_q4"]!, texts.q4!])
      expect(sumErrors(characterErrors(await textIn("q4"), other)) / other.length).toBeLessThan(0.2);
  });
});

describe("an exported recogniser", () => {
  it.each(KINDS)("computes what the model does, with %s network", async (name, overrides) => {
    const to = join(directory, name.replaceAll(/\W/g, "-"));
    const [network] = await exportOnnx(recogniser(overrides), to, { longest: 12 });
    for (const { name: input, difference, sameText } of network!.comparisons) {
      expect(difference, input).toBeLessThan(2e-4);
      expect(sameText, input).toBe(true);
    }
    expect(network!.comparisons.map(({ seconds }) => seconds)).toContain(12);
    expect(readdirSync(to).sort()).toEqual([
      "config.json",
      "onnx",
      "preprocessor_config.json",
      "special_tokens_map.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "tokens.txt",
      "vocab.json",
    ]);
  });

  it("says of itself what it was compared with", async () => {
    const to = join(directory, "metadata");
    const audio = join(directory, "clip.flac");
    writeFileSync(audio, encodeFlac(Float32Array.from({ length: 9000 }, (_, t) => Math.sin(t / 5) / 2)));
    const [network] = await exportOnnx(recogniser(TINY), to, { longest: 1, audio: [audio] });
    expect(network!.comparisons.at(-1)!.name).toBe(audio);
    const file = readFileSync(join(to, "onnx/model.onnx"));
    expect(file.includes(`${audio}: `)).toBe(true);
    const { InferenceSession } = await import("onnxruntime-web");
    const session = await InferenceSession.create(file);
    expect(session.inputNames).toEqual(["input_values"]);
    expect(session.outputNames).toEqual(["logits"]);
  });

  it("is not written where it differs, and what was there stays", async () => {
    const to = join(directory, "refused");
    await exportOnnx(recogniser(TINY), to, { longest: 1 });
    const before = readFileSync(join(to, "onnx/model.onnx"));
    await expect(exportOnnx(recogniser(LAYER), to, { longest: 1, maxDifference: 1e-12 })).rejects.toThrow(
      /must give the model's logits to 1e-12, but differs by .* Nothing is written/,
    );
    expect(readFileSync(join(to, "onnx/model.onnx")).equals(before)).toBe(true);
    await expect(
      exportOnnx(recogniser({ ...TINY, addAdapter: true, outputHiddenSize: 24 }), join(directory, "adapter")),
    ).rejects.toThrow(/add_adapter must be false for an export/);
    expect(existsSync(join(directory, "adapter"))).toBe(false);
  });

  it("replaces no directory of other files", async () => {
    const to = mkdtempSync(join(directory, "other-"));
    writeFileSync(join(to, "thesis.txt"), "years of work");
    await expect(exportOnnx(recogniser(TINY), to, { longest: 1 })).rejects.toThrow(
      /holds other files.*thesis.txt/,
    );
    expect(readdirSync(to)).toEqual(["thesis.txt"]);
  });

  it("replaces no model: its own directory would lose the weights", async () => {
    const model = join(directory, "weights");
    await saveCtcModel(model, recogniser(TINY));
    const before = readFileSync(join(model, "model.safetensors"));
    await expect(exportOnnx(model, model, { longest: 1 })).rejects.toThrow(
      `${model} must be a new directory or that of an export, but holds other files, which would be lost: model.safetensors. Give another directory.`,
    );
    expect(readFileSync(join(model, "model.safetensors")).equals(before)).toBe(true);
  });
});

describe("a recogniser of onnxruntime", () => {
  it("transcribes as libtorch's does, also without libtorch: a short file, one of several windows, samples", async () => {
    const ctc = recogniser(TINY);
    noGrad(() => ctc.model.lmHead.bias!.copy_(tensor([-1.5, -9, -9, -9, 0, 0, 0, 0, 0, 0])));
    const to = join(directory, "engine");
    await exportOnnx(ctc, to, { longest: 1 });
    const clip = (seconds: number) =>
      Float32Array.from(
        { length: seconds * 16000 },
        (_, t) => (Math.sin(t / 5) * Math.sin(t / 3000)) / 2 + Math.sin(t / (2 + (t % 40000) / 9000)) / 4,
      );
    const files = [join(directory, "short.flac"), join(directory, "long.flac")];
    for (const [index, seconds] of [2, 45].entries())
      writeFileSync(files[index]!, encodeFlac(clip(seconds), 16000));
    const recognizer = await loadOnnxRecognizer(to, { threads: 1 });
    const torch = new Recognizer(ctc);
    for (const source of [...files, { samples: clip(3), sampleRate: 16000 }]) {
      const expected = await torch.transcribe(source, { words: true });
      expect(expected.words.length).toBeGreaterThan(0);
      const { text, words } = await recognizer.transcribe(source, { words: true });
      expect(text).toBe(expected.text);
      expect(words.map(({ start, end }) => [start, end])).toEqual(
        expected.words.map(({ start, end }) => [start, end]),
      );
    }
    await recognizer.close();
    const printed = execFileSync(
      process.execPath,
      [PROGRAM, "transcribe", to, ...files, "--engine", "onnx", "--threads", "1", "--format", "json"],
      { encoding: "utf8", env: { ...process.env, LIBTORCH_BRIDGE: "/nonexistent/bridge.node" } },
    );
    const texts = await Promise.all(files.map(async (file) => (await torch.transcribe(file)).text));
    expect((JSON.parse(printed) as { text: string }[]).map(({ text }) => text)).toEqual(texts);
  });

  it("of another directory, and with options that it does not have, is refused", async () => {
    await expect(loadOnnxRecognizer(join(directory, "none"))).rejects.toThrow(
      "must be a directory that export wrote, but there is no",
    );
    const failed = () =>
      execFileSync(
        process.execPath,
        [PROGRAM, "transcribe", "x", "y.wav", "--engine", "onnx", "--precision", "bfloat16"],
        {
          encoding: "utf8",
          stdio: "pipe",
        },
      );
    expect(failed).toThrow("--precision must stand without --engine onnx");
  });
});
