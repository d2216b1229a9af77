import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { manualSeed } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import {
  CtcTokenizer,
  createConfig,
  loadRecognizer,
  resolveModel,
  saveCtcModel,
  Vocabulary,
  Wav2Vec2ForCTC,
} from "../../src/index.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { writeToneCorpus } from "../fixtures/tone-corpus.js";
import { type Files, HubServer } from "./hub-server.js";

const ID = "someone/tiny";

let directory: string;
let local: string;
let hub: HubServer;
const output = new CapturedOutput();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "hub-cli-"));
  local = join(directory, "local");
  await writeToneCorpus(join(directory, "corpus"), { train: 4, dev: 2 });
  manualSeed(1);
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["ABCDEFGHIJKLMNOPQRSTUVWXYZ"]));
  const config = createConfig({
    convDim: [8, 8],
    convKernel: [10, 8],
    convStride: [10, 16],
    convBias: true,
    featExtractNorm: "layer",
    doStableLayerNorm: true,
    hiddenSize: 16,
    numHiddenLayers: 1,
    numAttentionHeads: 2,
    intermediateSize: 32,
    numConvPosEmbeddings: 8,
    numConvPosEmbeddingGroups: 2,
    vocabSize: tokenizer.vocabulary.size,
    padTokenId: tokenizer.vocabulary.blankId,
  });
  await saveCtcModel(local, { model: new Wav2Vec2ForCTC(config), tokenizer, normalize: true });
});
afterAll(() => rm(directory, { recursive: true }));

async function modelFiles(): Promise<Files> {
  const names = await readdir(local);
  const contents = await Promise.all(names.map((name) => readFile(join(local, name))));
  return Object.fromEntries(names.map((name, i) => [name, contents[i]!]));
}

beforeEach(async () => {
  hub = await HubServer.start();
  hub.commit(ID, { ...(await modelFiles()), "tf_model.h5": new Uint8Array(5000) });
  for (const name of Object.keys(process.env).filter((key) => /^(HF_|HUGGING|TRANSFORMERS_)/.test(key))) {
    vi.stubEnv(name, undefined);
  }
  vi.stubEnv("HF_ENDPOINT", hub.url);
  vi.stubEnv("HF_HOME", await mkdtemp(join(directory, "home-")));
  output.start();
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await hub.close();
});

const clip = (): string => join(directory, "corpus/dev/1/1/1-1-0000.flac");

describe("a Hub id", () => {
  it("transcribes and evaluates as its directory does, and goes on without the Hub", async () => {
    expect(await main(["transcribe", local, clip(), "--json"])).toBe(0);
    const expected = output.stdout;
    output.clear();
    expect(await main(["transcribe", ID, clip(), "--json"])).toBe(0);
    expect(output.stdout).toBe(expected);
    expect(output.stderr).toMatch(/^Downloading someone\/tiny: 0\.0 of 0\.\d MB \(0 %\)\n/);
    expect(hub.bodies).not.toContain("tf_model.h5");

    hub.trouble = { status: 500, text: "" };
    output.clear();
    expect(
      await main(["evaluate", ID, "--data", join(directory, "corpus"), "--split", "dev", "--json"]),
    ).toBe(0);
    expect(JSON.parse(output.stdout).utterances).toHaveLength(2);
    expect(output.stderr).toMatch(
      /answered 500\. Using revision main of someone\/tiny as it was downloaded before/,
    );
  });

  it("may have a revision", async () => {
    const tagged = hub.commit(ID, await modelFiles(), { ref: "v1" });
    expect(await main(["transcribe", ID, clip(), "--revision", "v1"])).toBe(0);
    expect(hub.bodies.length).toBeGreaterThan(0);
    expect(
      hub.requests
        .filter(({ path }) => path.includes("/resolve/"))
        .every(({ path }) => path.includes(tagged)),
    ).toBe(true);
    for (const command of [
      ["transcribe", ID, clip(), "--revision", "v2"],
      ["evaluate", ID, "--data", join(directory, "corpus"), "--split", "dev", "--revision", "v2"],
    ]) {
      output.stderr = "";
      expect(await main(command)).toBe(1);
      expect(output.stderr).toContain(
        "revision must be a branch, a tag or a commit of someone/tiny, but 'v2' is none",
      );
    }
    expect(await main(["transcribe", local, clip(), "--revision", "v1"])).toBe(2);
  });

  it("that is none is one line on stderr", async () => {
    expect(await main(["transcribe", "someone/else", clip()])).toBe(1);
    expect(output.stderr).toMatch(/^someone\/else must be a model directory or a Hub id, but .*\n$/);
    expect(output.stdout).toBe("");
  });

  it("serves to start training from; the recipe keeps the id", async () => {
    const runDirectory = join(directory, "run");
    const train = (...options: string[]): Promise<number> =>
      main([
        ...["finetune", "--data", join(directory, "corpus"), "--output", runDirectory, "--model", ID],
        ...["--max-steps", "2", "--schedule.warmup-steps", "1", "--threads", "1", ...options],
      ]);
    hub.commit(ID, await modelFiles(), { ref: "v1" });
    expect(await train("--revision", "v1")).toBe(0);
    expect(await readFile(join(runDirectory, "recipe.yaml"), "utf8")).toMatch(
      /init: someone\/tiny\ninit_revision: v1\n/,
    );
    expect(existsSync(join(runDirectory, "best/model.safetensors"))).toBe(true);
    expect(await main(["finetune", "--data", "x", "--revision", "v1"])).toBe(2);
    expect(output.stderr).toContain("init_revision belongs to init, but init is missing");
  });

  it("can be interrupted while it is downloaded for training", async () => {
    hub.cut("model.safetensors", 2000, 0, 0, 0, 0, 0, 0);
    const runDirectory = join(directory, "interrupted");
    const code = main([
      "finetune",
      "--data",
      join(directory, "corpus"),
      "--output",
      runDirectory,
      "--model",
      ID,
    ]);
    await vi.waitFor(
      () => expect(hub.bodies.filter((name) => name === "model.safetensors").length).toBeGreaterThan(2),
      { timeout: 60_000 }, // loading libtorch alone can take seconds
    );
    process.emit("SIGINT");
    expect(await code).toBe(130);
    expect(existsSync(join(runDirectory, "best"))).toBe(false);
  });

  it("is as good as a directory to the functions", async () => {
    const progress = vi.fn();
    const recognizer = await loadRecognizer(ID, { onDownload: progress });
    expect((await recognizer.transcribe(new Float32Array(8000))).text).toBeTypeOf("string");
    expect(progress.mock.lastCall?.[0]).toMatchObject({ id: ID });
  });
});

// For developers: TRANSFORMERS_PYTHON=python of an environment with huggingface_hub. Each side uses what the other downloaded.
const python = process.env.TRANSFORMERS_PYTHON;
describe.skipIf(python === undefined)(
  "Python's huggingface_hub (runs with TRANSFORMERS_PYTHON=/path/to/python)",
  () => {
    const patterns = '["*.json", "model.safetensors"]';
    const call = async (code: string): Promise<string> => {
      const script = join(directory, "call.py");
      await writeFile(script, `import huggingface_hub as hub\n${code}\n`);
      const { stdout: printed } = await promisify(execFile)(python!, [script], { env: process.env });
      return printed.trim();
    };

    it("uses what was downloaded here", async () => {
      const mine = await resolveModel(ID);
      hub.requests.length = 0;
      expect(await call(`print(hub.snapshot_download("${ID}", allow_patterns=${patterns}))`)).toBe(mine);
      expect(hub.bodies).toEqual([]);
      expect(await call(`print(hub.hf_hub_download("${ID}", "model.safetensors"))`)).toBe(
        join(mine, "model.safetensors"),
      );
      expect(hub.bodies).toEqual([]);
      vi.stubEnv("HF_HUB_OFFLINE", "1");
      expect(await call(`print(hub.snapshot_download("${ID}", allow_patterns=${patterns}))`)).toBe(mine);
      expect(await call(`print(len(list(hub.scan_cache_dir().repos)), hub.scan_cache_dir().warnings)`)).toBe(
        "1 []",
      );
    });

    it.each(["snapshot_download", "hf_hub_download"])("leaves with %s what is used here", async (how) => {
      const names = Object.keys(await modelFiles());
      const code =
        how === "snapshot_download"
          ? `print(hub.snapshot_download("${ID}", allow_patterns=${patterns}))`
          : `for name in ${JSON.stringify(names)}: print(hub.hf_hub_download("${ID}", name))`;
      const printed = await call(code);
      hub.requests.length = 0;
      const mine = await resolveModel(ID);
      expect(printed).toContain(mine);
      expect(hub.bodies).toEqual([]);
      vi.stubEnv("HF_HUB_OFFLINE", "1");
      expect(await resolveModel(ID)).toBe(mine);
    });
  },
);
