import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { encodeFlac } from "../../src/audio/flac/flac-writer.js";
import { ConfigurationError, UserError } from "../../src/errors.js";
import { evaluateModel } from "../../src/evaluation/evaluate.js";
import { exportOnnx } from "../../src/export/export-onnx.js";
import { type CtcModel, saveCtcModel } from "../../src/pretrained/ctc-directory.js";
import { Aligner } from "../../src/recognition/alignment/align.js";
import { loadOnnxRecognizer } from "../../src/recognition/load-onnx-recognizer.js";
import { recognizerPool } from "../../src/recognition/pool/recognizer-pool.js";
import { loadRecognizer, Recognizer } from "../../src/recognition/recognizer.js";
import { changingSound, exportedModel } from "../fixtures/exported-model.js";
import { PROGRAM } from "../training/training-process.js";

// What onnxruntime runs gives what libtorch gives, wherever a recogniser is used.

const run = promisify(execFile);
/** As where libtorch was never set up. */
const WITHOUT_LIBTORCH = { ...process.env, LIBTORCH_BRIDGE: "/nonexistent/bridge.node" };

let directory: string;
let ctc: CtcModel;
/** What `export` wrote, and the same model in libtorch's files. */
let exported: string;
let model: string;
let corpus: string;
const lengths = [2, 3.2, 1.4, 40];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "engines-"));
  ({ ctc, directory: exported } = await exportedModel(directory, "exported"));
  model = join(directory, "model");
  await saveCtcModel(model, ctc);
  corpus = join(directory, "corpus.jsonl");
  const lines = lengths.map((seconds, i) => {
    const path = join(directory, `clip-${i}.flac`);
    writeFileSync(path, encodeFlac(changingSound(seconds), 16000));
    return JSON.stringify({ audio_filepath: path, text: "AB CD E".slice(i) });
  });
  writeFileSync(corpus, `${lines.join("\n")}\n`);
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe("a pool of onnxruntime", () => {
  it("says what libtorch's recogniser says: files, hotwords of one, where a text's words are", async () => {
    await using pool = await recognizerPool(exported, { threads: 2, together: 4, torchThreads: 1 });
    const torch = new Recognizer(ctc);
    const results = await Promise.all(
      lengths.map((_, i) => pool.transcribe(join(directory, `clip-${i}.flac`), { words: true })),
    );
    for (const [i, { text, words }] of results.entries()) {
      const expected = await torch.transcribe(join(directory, `clip-${i}.flac`), { words: true });
      expect(expected.words.length).toBeGreaterThan(0);
      expect(text).toBe(expected.text);
      expect(words.map(({ start, end }) => [start, end])).toEqual(
        expected.words.map(({ start, end }) => [start, end]),
      );
    }
    const clip = join(directory, "clip-0.flac");
    const hotwords = ["EEE"];
    const withWords = new Recognizer(ctc, { hotwords });
    expect((await pool.transcribe(clip, { hotwords })).text).toBe((await withWords.transcribe(clip)).text);
    const { transcript, confidence } = await pool.align(clip, "A B");
    const expected = await new Aligner(ctc).align(clip, "A B");
    expect(transcript.words.map(({ start }) => start)).toEqual(
      expected.transcript.words.map(({ start }) => start),
    );
    expect(confidence).toBeCloseTo(expected.confidence, 3);
    const { memory, threads } = pool.stats();
    expect(threads).toBe(2);
    expect(memory.weights).toBeGreaterThan(1000);
  }, 60_000);

  it("is taken by itself for what export wrote alone; what it lacks is refused", async () => {
    await expect(recognizerPool(exported, { device: "cpu" })).rejects.toThrow(
      new ConfigurationError(
        'device must be left out with onnxruntime, which takes the numbers of what export wrote and the CPU, but is "cpu". Leave it out, or take libtorch.',
      ),
    );
    await expect(recognizerPool(ctc, { engine: "onnx" })).rejects.toThrow("stands with a model in memory");
    await expect(recognizerPool(exported, { engine: "tensorflow" as "onnx" })).rejects.toThrow(
      'engine of recognizerPool must be "auto" or "libtorch" or "onnx"',
    );
    await expect(loadRecognizer(exported)).rejects.toThrow("from code loadOnnxRecognizer");
    await using both = await recognizerPool(model, { threads: 1, device: "cpu" }); // libtorch's
    expect(both.stats().threads).toBe(1);
  }, 60_000);
});

describe("what was never exported", () => {
  const must = "must be a directory that export wrote, but";

  it("is named with the command that exports it, wherever a recogniser is used, and the command works", async () => {
    const to = `${model}-onnx`;
    const message = `${model} ${must} holds a model as libtorch runs it. Run npx wav2vec2 export ${model} --to ${to} --dtype q8, and name ${to}.`;
    const options = { engine: "onnx", dtype: "q8" } as const;
    const error = new UserError(message, { code: "ERR_MODEL_NOT_FOUND" });
    await expect(recognizerPool(model, options)).rejects.toThrow(error);
    await expect(evaluateModel(model, { data: corpus, ...options })).rejects.toThrow(error);
    await expect(loadOnnxRecognizer(model, { dtype: "q8" })).rejects.toThrow(error);
    await expect(loadOnnxRecognizer(`${model}/`)).rejects.toThrow(`--to ${to}, and name ${to}.`);
    const args = ["serve", model, "--engine", "onnx", "--dtype", "q8", "--port", "0"];
    const refused = run(process.execPath, [PROGRAM, ...args]);
    await expect(refused).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining(message) });
    const command = /npx wav2vec2 (export .*?),/.exec(message)![1]!.split(" ");
    await run(process.execPath, [PROGRAM, ...command, "--longest", "1"]);
    await (await loadOnnxRecognizer(to, { dtype: "q8" })).close();
  }, 60_000);

  it("is found in a training run", async () => {
    const training = join(directory, "run");
    await saveCtcModel(join(training, "best"), ctc);
    await expect(loadOnnxRecognizer(training)).rejects.toThrow(
      `Run npx wav2vec2 export ${training}/best --to ${training}-onnx, and name ${training}-onnx.`,
    );
  });

  it("is told from a directory of something else, a wrong path and a model of the Hub", async () => {
    const failure = async (name: string) =>
      ((await loadOnnxRecognizer(name).catch((error: unknown) => error)) as UserError).message;
    expect(await failure(tmpdir())).toBe(
      `${tmpdir()} ${must} holds no network. Name one that is written by: npx wav2vec2 export MODEL --to DIRECTORY.`,
    );
    const missing = join(directory, "missing");
    expect(await failure(missing)).toBe(`${missing} ${must} there is no ${missing}. Check its path.`);
    expect(await failure("some/model")).toBe(
      `some/model ${must} there is no directory ${join(process.cwd(), "some/model")}. If the Hub has it, run npx wav2vec2 export some/model --to model-onnx, and name model-onnx.`,
    );
  });
});

describe("an evaluation", () => {
  it("gives the same texts, rates, loss and confidence by either engine", async () => {
    const torch = await evaluateModel(model, { data: corpus, batchSeconds: 60 });
    const onnx = await evaluateModel(exported, { data: corpus, batchSeconds: 60, threads: 1 });
    expect(onnx.engine).toBe("onnx");
    expect(torch.engine).toBeUndefined();
    expect(onnx.utterances.map(({ hypothesis }) => hypothesis)).toEqual(
      torch.utterances.map(({ hypothesis }) => hypothesis),
    );
    expect(onnx.utterances.some(({ hypothesis }) => hypothesis.length > 3)).toBe(true);
    for (const name of ["wer", "cer", "substitutions", "insertions", "deletions", "blankShare"] as const)
      expect(onnx[name], name).toBe(torch[name]);
    expect(onnx.ctcLoss / torch.ctcLoss).toBeCloseTo(1, 4);
    expect(onnx.confidence).toBeCloseTo(torch.confidence, 4);
  }, 60_000);

  it("is of the numbers that are asked for, in a pool too, and names those that are there", async () => {
    const small = join(directory, "small");
    await exportOnnx(ctc, small, { dtype: ["int8"], longest: 1 });
    const clip = join(directory, "clip-0.flac");
    const recognizer = await loadOnnxRecognizer(small);
    const { text } = await recognizer.transcribe(clip);
    await recognizer.close();
    const { utterances } = await evaluateModel(small, { data: corpus, dtype: "int8", threads: 1 });
    expect(utterances[0]!.hypothesis).toBe(text);
    await using pool = await recognizerPool(small, { threads: 1, dtype: "int8" });
    expect((await pool.transcribe(clip)).text).toBe(text);
    await expect(recognizerPool(small, { dtype: "q4" })).rejects.toThrow(
      "must hold onnx/model_q4.onnx to be run in q4, but holds int8 alone",
    );
    await expect(evaluateModel(model, { data: corpus, dtype: "int8" })).rejects.toThrow(
      'dtype must be left out with libtorch, but is "int8"',
    );
    const refused = run(process.execPath, [PROGRAM, "evaluate", model, "--data", corpus, "--dtype", "int8"]);
    await expect(refused).rejects.toThrow("--dtype must stand with --engine onnx, but stands without.");
  }, 60_000);

  it("runs as a command without libtorch", async () => {
    const args = ["evaluate", exported, "--data", corpus, "--json"];
    const { stdout } = await run(process.execPath, [PROGRAM, ...args, "--threads", "1"], {
      env: WITHOUT_LIBTORCH,
    });
    const result = JSON.parse(stdout) as { utterances: { hypothesis: string }[]; engine: string };
    expect(result.engine).toBe("onnx");
    const torch = new Recognizer(ctc);
    const texts = [];
    for (const [i] of lengths.entries())
      texts.push((await torch.transcribe(join(directory, `clip-${i}.flac`))).text);
    expect(result.utterances.map(({ hypothesis }) => hypothesis).slice(0, 3)).toEqual(texts.slice(0, 3));
    const refused = run(process.execPath, [PROGRAM, ...args, "--precision", "bfloat16"]);
    await expect(refused).rejects.toThrow("--precision must stand without --engine onnx");
  }, 60_000);
});

/** Starts `serve` and waits until it listens. */
async function serve(
  args: string[],
  env: NodeJS.ProcessEnv,
): Promise<{ url: string; said: string; stop(): Promise<unknown> }> {
  const server = spawn(process.execPath, [PROGRAM, "serve", ...args, "--port", "0", "--threads", "1"], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void server.kill("SIGKILL"));
  let log = "";
  let said = "";
  server.stderr.on("data", (data) => {
    log += data;
  });
  const url = await new Promise<string>((resolve, reject) => {
    server.stdout.on("data", (data) => {
      said += data;
      const found = /http:\S+\/(?=v1)/.exec(said);
      if (found) resolve(found[0]);
    });
    server.once("exit", () => reject(new Error(log)));
  });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const stop = () => {
    server.kill("SIGTERM");
    return ended;
  };
  return { url, said, stop };
}

describe("a server", () => {
  it("makes a page of the model that it serves: exported once, then kept", async () => {
    const cache = join(directory, "cache");
    const env = { ...process.env, WAV2VEC2_CACHE: cache };
    const first = await serve([`mine=${model}`, "--page"], env);
    expect(first.said).toMatch(/model is exported for the page, once; it is kept in \S+exports.\w{16}\./);
    const [kept, ...others] = readdirSync(join(cache, "exports"));
    expect(others).toEqual([]);
    expect(first.said).toContain(kept);
    const list = (await (await fetch(`${first.url}models.json`)).json()) as {
      models: { name: string; directory: string }[];
    };
    expect(list.models.map(({ name }) => name)).toEqual(["mine"]);
    const network = await fetch(`${first.url}${list.models[0]!.directory}onnx/model.onnx`);
    expect(Buffer.from(await network.arrayBuffer())).toEqual(
      readFileSync(join(cache, "exports", kept!, "onnx/model.onnx")),
    );
    const engine = await fetch(`${first.url}ort/ort-wasm-simd-threaded.wasm`);
    expect(engine.headers.get("content-type")).toBe("application/wasm");
    expect(engine.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
    await engine.body?.cancel();
    expect(await (await fetch(first.url)).text()).toContain("Speech to text");
    await first.stop();
    const second = await serve([`mine=${model}`, "--page"], env);
    expect(second.said).not.toContain("exported for the page");
    expect(readdirSync(join(cache, "exports"))).toEqual([kept]);
    await second.stop();
  }, 120_000);

  it("of an exported directory answers without libtorch: a recording, and that it is ready", async () => {
    const { url, stop } = await serve([`mine=${exported}`], WITHOUT_LIBTORCH);
    const clip = join(directory, "clip-1.flac");
    const answer = execFileSync("curl", ["-s", "-F", `file=@${clip}`, `${url}v1/audio/transcriptions`]);
    const { text } = JSON.parse(String(answer)) as { text: string };
    expect(text).toBe((await new Recognizer(ctc).transcribe(clip)).text);
    expect((await fetch(`${url}ready`)).status).toBe(200);
    expect(await stop()).toBe(0);
  }, 60_000);
});
