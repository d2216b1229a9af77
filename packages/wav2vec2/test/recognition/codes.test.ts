import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { manualSeed, noGrad, tensor } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import {
  CtcTokenizer,
  createConfig,
  encodeFlac,
  loadCoder,
  loadPreTrainingModel,
  normalize,
  Random,
  readAudio,
  saveCtcModel,
  savePreTrainingModel,
  Vocabulary,
  Wav2Vec2ForCTC,
  Wav2Vec2ForPreTraining,
} from "../../src/index.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { toneClip } from "../fixtures/tone-corpus.js";

const CONFIG = createConfig({
  convDim: [8, 8],
  convKernel: [20, 16],
  convStride: [20, 16],
  hiddenSize: 16,
  numHiddenLayers: 1,
  numAttentionHeads: 2,
  intermediateSize: 32,
  numConvPosEmbeddings: 8,
  numConvPosEmbeddingGroups: 2,
  numCodevectorsPerGroup: 12,
  codevectorDim: 8,
  projCodevectorDim: 8,
});

let directory: string;
let model: string;
const output = new CapturedOutput();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "codes-"));
  model = join(directory, "model");
  manualSeed(1);
  await savePreTrainingModel(model, { model: new Wav2Vec2ForPreTraining(CONFIG), normalize: true });
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(() => {
  output.start();
});
afterEach(() => vi.restoreAllMocks());

async function clip(name: string, samples = toneClip("AB C", new Random(1, name)), rate = 16000) {
  const path = join(directory, name);
  await writeFile(path, encodeFlac(samples, rate));
  return path;
}

const parts = (line: string): string[] => line.split("\t");

describe("wav2vec2 codes", () => {
  it("prints a line a file with the codes that pre-training takes for targets", async () => {
    const files = [await clip("a.flac"), await clip("b.flac")];
    expect(await main(["codes", model, ...files])).toBe(0);
    expect(output.stderr).toBe("");
    const lines = output.stdout.trimEnd().split("\n").map(parts);
    expect(lines.map(([file]) => file)).toEqual(files);

    const loaded = (await loadPreTrainingModel(model)).model.eval();
    const samples = normalize(await readAudio(files[0]!));
    const { codes } = noGrad(() => loaded.forward({ input: tensor(samples, [1, samples.length]) }));
    const [, frames, groups] = codes.shape as [number, number, number];
    const expected = codes.toArray().map(Number);
    const tokens = lines[0]![1]!.split(" ");
    expect([frames, groups]).toEqual([30, 2]);
    expect(tokens).toEqual(
      Array.from({ length: frames }, (_, frame) => expected.slice(frame * 2, frame * 2 + 2).join("-")),
    );
    expect(new Set(tokens).size).toBeGreaterThan(1);
  });

  it("joins equal frames, with or without times", async () => {
    const file = await clip("runs.flac");
    await main(["codes", model, file]);
    const tokens = parts(output.stdout.trimEnd())[1]!.split(" ");
    output.stdout = "";
    await main(["codes", model, file, "--collapse"]);
    const collapsed = parts(output.stdout.trimEnd())[1]!.split(" ");
    expect(collapsed).toEqual(tokens.filter((token, frame) => token !== tokens[frame - 1]));
    expect(collapsed.length).toBeLessThan(tokens.length);
    output.stdout = "";
    await main(["codes", model, file, "--times"]);
    const rows = output.stdout.trimEnd().split("\n").map(parts);
    expect(rows.map(([path]) => path)).toEqual(rows.map(() => file));
    expect(rows.map(([, , , name]) => name)).toEqual(collapsed);
    expect(rows[0]![1]).toBe("0.000");
    expect(rows.slice(1).map(([, start]) => start)).toEqual(rows.slice(0, -1).map(([, , end]) => end));
    expect(rows.at(-1)![2]).toBe("0.600");
    const unrolled = rows.flatMap(([, start, end, name]) =>
      Array<string>(Math.round((Number(end) - Number(start)) / 0.02)).fill(name!),
    );
    expect(unrolled).toEqual(tokens);
  });

  it("goes on after a bad file, resamples, and takes a clip shorter than a frame", async () => {
    const [bad, missing] = [join(directory, "bad.flac"), join(directory, "missing.flac")];
    await writeFile(bad, "not audio");
    const slow = await clip("8khz.flac", toneClip("A", new Random(1, "8")), 8000);
    const short = await clip("short.flac", new Float32Array(80).fill(0.25));
    expect(await main(["codes", model, "--json", bad, missing, slow, short])).toBe(1);
    expect(output.stderr).toContain(bad);
    const { files } = JSON.parse(output.stdout);
    expect(files).toEqual([
      { file: bad, error: expect.stringContaining(bad) },
      { file: missing, error: expect.stringContaining(missing) },
      { file: slow, seconds: 0.3, frameSeconds: 0.02, codes: expect.any(Array) },
      { file: short, seconds: 0.005, frameSeconds: 0.02, codes: [[expect.any(Number), expect.any(Number)]] },
    ]);
    expect(files[2].codes).toHaveLength(15);
    output.stdout = "";
    expect(await main(["codes", model, "--times", short])).toBe(0);
    expect(output.stdout).toMatch(/\t0\.000\t0\.005\t\d+-\d+\n$/);
  });

  it("refuses a model without quantizer, and options that exclude each other", async () => {
    const recogniser = join(directory, "recogniser");
    const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["ABC"]));
    const { size: vocabSize, blankId: padTokenId } = tokenizer.vocabulary;
    const ctc = new Wav2Vec2ForCTC(createConfig({ vocabSize, padTokenId }, CONFIG));
    await saveCtcModel(recogniser, { model: ctc, tokenizer, normalize: true });
    expect(await main(["codes", recogniser, await clip("c.flac")])).toBe(1);
    expect(output.stderr).toContain(`${recogniser} must be a pre-trained model with a quantizer, but `);
    expect(await main(["codes", model, "--json", "--times", "c.flac"])).toBe(2);
    expect(await main(["codes", model])).toBe(2);
    expect(output.stdout).toBe("");
    expect(await main(["help", "codes"])).toBe(0);
    expect(output.stdout).toContain("12-301 12-301 7-44");
  });
});

describe("loadCoder", () => {
  it("names the clip and the sample that is no number, and weights that are none", async () => {
    const coder = await loadCoder(model);
    await expect(coder.codesOf(Float32Array.of(0, Number.NaN), "x.flac")).rejects.toThrow(
      "Samples of x.flac must be finite numbers, but sample 1 is NaN.",
    );
    await expect(coder.codesOf(new Float32Array(0))).rejects.toThrow(
      "the clip must hold audio, but is empty.",
    );
    const broken = (await loadPreTrainingModel(model)).model;
    noGrad(() => broken.quantizer.weightProj.bias!.fill_(Number.NaN));
    const directoryOfBroken = join(directory, "broken");
    await savePreTrainingModel(directoryOfBroken, { model: broken, normalize: true });
    await expect(loadCoder(directoryOfBroken)).rejects.toThrow("quantizer.weight_proj.bias holds others");
  });
});
