import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { noGrad, randn, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { exportOnnx } from "../../src/export/export-onnx.js";
import { DTYPES, type Dtype, networkFile } from "../../src/export/onnx/dtypes.js";
import { Graph } from "../../src/export/onnx/graph.js";
import { writeOnnx } from "../../src/export/onnx/onnx-file.js";
import { int8Product } from "../../src/export/onnx/quantized/int8-product.js";
import { q4Product } from "../../src/export/onnx/quantized/q4-product.js";
import { pageFiles } from "../../src/page/page-files.js";
import { type CtcModel, loadCtcModel } from "../../src/pretrained/ctc-directory.js";
import { loadOnnxRecognizer } from "../../src/recognition/load-onnx-recognizer.js";
import { Recognizer } from "../../src/recognition/recognizer.js";
import { characterErrors, sumErrors } from "../../src/text/scoring/error-rate.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { mounted } from "../fixtures/small-disk.js";
import { trainToneModel } from "../fixtures/trained-model.js";
import { PROGRAM } from "../training/training-process.js";

// Files in smaller numbers. The network of exportedModel has rows of 24 and 40 weights, which are no whole blocks of 32.

let directory: string;
let ctc: CtcModel;
let exported: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "dtypes-"));
  ({ ctc } = await exportedModel(directory, "float"));
  exported = join(directory, "all");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What a difference may be of what a logit is, in the network of exportedModel: a few times what it was measured to be. */
const BOUNDS: Record<Dtype, number> = { float32: 1e-4, float16: 0.02, int8: 0.3, q8: 0.3, q4: 2 };

describe("a recogniser in smaller numbers", () => {
  it("gives nearly the model's logits, and is as small as its numbers", async () => {
    const networks = await exportOnnx(ctc, exported, { longest: 2, dtype: DTYPES });
    expect(networks.map(({ dtype }) => dtype)).toEqual(DTYPES);
    for (const { dtype, file, bytes, comparisons } of networks) {
      expect(statSync(join(exported, file)).size, dtype).toBe(bytes);
      const differences = comparisons.map(({ difference }) => difference);
      expect(Math.max(...differences), dtype).toBeLessThan(BOUNDS[dtype]);
      if (dtype !== "float32") expect(Math.max(...differences), dtype).toBeGreaterThan(1e-4);
      const text = readFileSync(join(exported, file)).toString("latin1");
      expect(text.includes("not measured"), dtype).toBe(dtype !== "float32");
    }
    const sizes = new Map(networks.map(({ dtype, bytes }) => [dtype, bytes]));
    for (const dtype of ["float16", "int8", "q4"] as const)
      expect(sizes.get(dtype)!, dtype).toBeLessThan(sizes.get("float32")!);
  });

  it("is run by its dtype, by float32 where nobody says, and by what there is without that", async () => {
    const sound = changingSound(3);
    const textOf = async (from: string, dtype?: string): Promise<string> => {
      const recognizer = await loadOnnxRecognizer(from, { dtype, threads: 1 });
      const { text } = await recognizer.transcribe(sound);
      await recognizer.close();
      return text;
    };
    const { text } = await new Recognizer(ctc).transcribe(sound);
    expect(await textOf(exported)).toBe(text);
    // Scores of random weights are nearly ties: a few letters turn with the seventh digit.
    const half = await textOf(exported, "fp16");
    expect(sumErrors(characterErrors(text, half)) / text.length).toBeLessThan(0.2);
    expect(await textOf(exported, "float16")).toBe(half);
    const small = join(directory, "small");
    await exportOnnx(ctc, small, { longest: 1, dtype: ["q4", "q8"] });
    expect(existsSync(join(small, networkFile("float32")))).toBe(false);
    const config = JSON.parse(readFileSync(join(small, "config.json"), "utf8"));
    expect(config["transformers.js_config"]).toEqual({ dtype: "q8" });
    expect(await textOf(small)).toBe(await textOf(exported, "q8"));
    expect(await textOf(small, "q4")).toBe(await textOf(exported, "q4"));
    await expect(loadOnnxRecognizer(small, { dtype: "float16" })).rejects.toThrow(
      "must hold onnx/model_fp16.onnx to be run in float16, but holds q8, q4 alone. Take one of these, or export",
    );
    await expect(loadOnnxRecognizer(small, { dtype: "int4" })).rejects.toThrow(
      /dtype must be one of float32, .*, but is int4\. Did you mean int8\?/,
    );
  });

  it("is what transcribe --dtype runs, and what a page gets", async () => {
    const file = join(directory, "clip.flac");
    writeFileSync(file, encodeFlac(changingSound(2), 16000));
    const transcribe = (...options: string[]) =>
      execFileSync(process.execPath, [PROGRAM, "transcribe", exported, file, ...options], {
        encoding: "utf8",
        stdio: "pipe",
      }).trim();
    const recognizer = await loadOnnxRecognizer(exported, { dtype: "q4" });
    const { text } = await recognizer.transcribe(file);
    await recognizer.close();
    expect(transcribe("--engine", "onnx", "--dtype", "q4")).toBe(text);
    expect(transcribe("--dtype", "q4")).toBe(text); // the directory has nothing else to run
    expect(() => transcribe("--engine", "libtorch", "--dtype", "q4")).toThrow(
      "--dtype must stand with --engine onnx",
    );
    const files = await pageFiles([{ name: "one", directory: exported, dtype: "int8" }]);
    const networks = files.map(({ path }) => path).filter((path) => path.includes("/onnx/"));
    expect(networks.map((path) => path.slice(path.indexOf("/onnx/") + 1))).toEqual(["onnx/model_int8.onnx"]);
    const list = files.find(({ path }) => path === "models.json")!.source as { text: string };
    expect(JSON.parse(list.text).models[0].dtype).toBe("int8");
  });

  it("is refused where its name is none, its layers are none, or it gives no numbers", async () => {
    const to = join(directory, "refused");
    await expect(exportOnnx(ctc, to, { dtype: "float15" })).rejects.toThrow("Did you mean float16?");
    await expect(exportOnnx(ctc, to, { dtype: 8 as never })).rejects.toThrow(
      "dtype of exportOnnx must be the name of a dtype, or several, but is 8.",
    );
    await expect(
      exportOnnx(ctc, to, { dtype: "q8", longest: 1, floatLayers: ["encoder.layers.9"] }),
    ).rejects.toThrow(
      /floatLayers must name layers with matrix products, but encoder\.layers\.9 is none of them: feature_projection, encoder\.layers\.0\.attention/,
    );
    await expect(exportOnnx(ctc, to, { maxWerLoss: 1 })).rejects.toThrow("maxWerLoss must stand with data");
    const large = await exportedModel(directory, "large");
    noGrad(() => large.ctc.model.wav2vec2.encoder.layers[0]!.feedForward.intermediateDense.weight.mul_(1e6));
    await expect(exportOnnx(large.ctc, to, { dtype: "float16", longest: 1 })).rejects.toThrow(
      /in float16 must give numbers, but gives none of one frame/,
    );
    expect(existsSync(to)).toBe(false);
  });

  it("leaves named layers in float32", async () => {
    const to = join(directory, "kept");
    const layers = ["encoder.layers.0", "encoder.layers.1.attention", "encoder.layers.1.feed_forward"];
    const [network] = await exportOnnx(ctc, to, { dtype: "q4", longest: 1, floatLayers: layers });
    for (const { difference } of network!.comparisons) expect(difference).toBeLessThan(1e-4);
  });

  it("of a damaged file is refused", async () => {
    const to = join(directory, "damaged");
    await exportOnnx(ctc, to, { dtype: "q8", longest: 1 });
    const file = join(to, networkFile("q8"));
    writeFileSync(file, readFileSync(file).subarray(0, 20_000));
    await expect(loadOnnxRecognizer(to)).rejects.toThrow(
      /model_quantized\.onnx must be a model in ONNX's format, but cannot be loaded/,
    );
  });

  it("leaves nothing on a full disk", async ({ skip }) => {
    const disk = join(directory, "disk");
    if (!mounted(disk)) skip("no disk can be mounted here");
    try {
      writeFileSync(join(disk, "room.bin"), Buffer.alloc(6 * 1024 * 1024 - 120_000));
      const to = join(disk, "model");
      await expect(exportOnnx(ctc, to, { dtype: DTYPES, longest: 1 })).rejects.toThrow(/the disk is full/);
      expect(existsSync(to)).toBe(false);
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("the word error rate of a smaller file", () => {
  let trained: string;
  let data: string;
  beforeAll(async () => {
    mkdirSync(join(directory, "tones"));
    trained = await trainToneModel(join(directory, "tones"));
    data = join(directory, "tones/corpus");
  }, 240_000);

  it("is measured beside float32's, and stands in the file", async () => {
    const to = join(directory, "measured");
    const printed = execFileSync(
      process.execPath,
      [
        PROGRAM,
        "export",
        trained,
        "--to",
        to,
        "--dtype",
        "float32",
        "q8",
        "--data",
        data,
        "--split",
        "dev",
        "--longest",
        "1",
      ],
      { encoding: "utf8" },
    );
    expect(printed).toMatch(/onnx\/model_quantized\.onnx +[\d.]+ kB +0\.00 % +\d\.\d\d %/);
    expect(readFileSync(join(to, networkFile("q8"))).toString("latin1")).toMatch(
      /0\.00 % \(float32: 0\.00 %\) of \d+ words/,
    );
  });

  it("refuses it where it loses more than it may, and says which layer costs most", async () => {
    const to = join(directory, "lossy");
    const model = await loadCtcModel(trained);
    // Two features of every frame that the bias takes away again: beside their weights all others of a row are nothing in 8 bits.
    const { intermediateDense, outputDense } = model.model.wav2vec2.encoder.layers[0]!.feedForward;
    noGrad(() => {
      for (const feature of [0, 1]) {
        intermediateDense.weight.select(0, feature).fill_(0);
        intermediateDense.bias!.select(0, feature).fill_(5); // GELU of 5 is 5, to the sixth digit
        const weights = randn([outputDense.weight.shape[0]!]).mul(100);
        outputDense.weight.select(1, feature).copy_(weights);
        outputDense.bias!.sub_(weights.mul(4.99999857));
      }
    });
    const options = { dtype: "q8", data, split: "dev", longest: 1 };
    const refused = exportOnnx(model, to, options);
    await expect(refused).rejects.toThrow(
      /q8 must lose at most 0\.2 points of the word error rate, but it goes from 0\.00 to \d+\.\d\d % .* Nothing is written\. .*: encoder\.layers\.0\.feed_forward [\d.]+ %\. Leave these in float32 \(--float-layers encoder\.layers\.0\.feed_forward\)/s,
    );
    expect(existsSync(to)).toBe(false);
    const floatLayers = ["encoder.layers.0.feed_forward"];
    const [network] = await exportOnnx(model, to, { ...options, floatLayers });
    expect(network!.accuracy).toMatchObject({ wer: 0, wer32: 0, utterances: 6 });
  });
});

it("weights of eight bits take seven of them, of which no processor's sums are too large", async () => {
  const graph = new Graph();
  graph.output("y", int8Product(graph, graph.input("x", "float32", [3, 50]), randn([7, 50])), [3, 7]);
  const bytes = graph.constants.find(({ type }) => type === "int8")!.values;
  const largest = Math.max(...Array.from(new Int8Array(bytes.buffer), Math.abs));
  expect(largest).toBe(64);
  expect(2 * 255 * largest).toBeLessThan(2 ** 15);
});

it("weights of four bits are those of the network, to a sixteenth of each block's largest", async () => {
  const [out, width] = [5, 70]; // two blocks and a part of a third
  const weight = randn([out, width]);
  const graph = new Graph();
  graph.output("y", q4Product(graph, graph.input("x", "float32", [width, width]), weight), [width, out]);
  const path = join(directory, "q4.onnx");
  await writeOnnx(path, graph);
  const ort = await import("onnxruntime-web");
  const session = await ort.InferenceSession.create(path);
  // Of one row of the unit matrix after another the product is the weights themselves.
  const unit = Float32Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0));
  const { y } = await session.run({ x: new ort.Tensor("float32", unit, [width, width]) });
  const found = tensor(y!.data as Float32Array, [width, out]).transpose(0, 1);
  for (let row = 0; row < out; row++)
    for (let begin = 0; begin < width; begin += 32) {
      const length = Math.min(32, width - begin);
      const own = weight.select(0, row).narrow(0, begin, length);
      const difference = found.select(0, row).narrow(0, begin, length).sub(own).abs().amax().item();
      expect(difference).toBeLessThan(own.abs().amax().item() / 3);
      expect(difference / own.abs().amax().item()).toBeGreaterThan(0.01);
    }
});
