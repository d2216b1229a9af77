import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { main } from "../../src/cli/main.js";
import { readCorpus } from "../../src/data/corpus/corpus.js";
import { Wav2Vec2Model } from "../../src/model/wav2vec2-model.js";
import type { BenchResult } from "../../src/training/bench.js";
import { CapturedOutput } from "../fixtures/captured-output.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
const output = new CapturedOutput();
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "bench-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 20 });
  for (const task of ["pretrain", "finetune"])
    await writeFile(
      join(directory, `${task}.yaml`),
      JSON.stringify({
        task,
        max_steps: 100,
        gradient_accumulation: 3,
        data: { batch_seconds: 4 },
        model: TINY_MODEL,
      }),
    );
});
afterAll(() => rm(directory, { recursive: true, force: true }));
beforeEach(() => {
  output.start();
});
afterEach(() => {
  vi.restoreAllMocks();
});

async function bench(...args: string[]): Promise<BenchResult> {
  output.stdout = "";
  expect(await main(["bench", "--batches", "2", "--threads", "1", "--json", ...args]), output.stderr).toBe(0);
  return JSON.parse(output.stdout) as BenchResult;
}

describe("wav2vec2 bench", () => {
  it.each(["pretrain", "finetune"])(
    "measures a step of a recipe that would %s, and writes nothing",
    async (task) => {
      const before = await readdir(directory);
      const result = await bench("--config", join(directory, `${task}.yaml`));
      expect(result.batchSeconds).toHaveLength(2);
      expect(result.batchesAStep).toBe(3);
      expect(result.precision).toBe("float32"); // a small network's
      const [own, half] = result.precisions;
      expect(own).toEqual({ precision: "float32", stepSeconds: result.stepSeconds });
      expect(half).toHaveProperty("precision", "bfloat16");
      const sorted = [...result.batchSeconds].sort((a, b) => a - b);
      expect(result.stepSeconds).toBeGreaterThan(3 * sorted[0]!);
      expect(result.recipeSeconds).toBeCloseTo(100 * result.stepSeconds, 6);
      expect(result.epochs).toBeUndefined();
      expect(result.checkpointMb).toBeCloseTo(3 * result.modelMb);
      expect(result.modelMb).toBeCloseTo((4 * result.parameters) / 1e6);
      expect(await readdir(directory)).toEqual(before);
    },
  );

  it.each([
    ["pretrain", "quantizer: "],
    ["finetune", "feature_extractor.conv_layers."],
  ])("draws what a step holds that would %s", async (task, largest) => {
    const picture = join(directory, "memory.svg");
    await bench("--config", join(directory, `${task}.yaml`), "--memory", picture);
    const svg = await readFile(picture, "utf8");
    expect(svg).toMatch(/Memory of a step: \d+ MB at its highest/);
    expect(svg).toContain(largest);
    await rm(picture);
  });

  it("takes the lengths of a corpus, and says how often it is heard", async () => {
    const root = join(directory, "corpus");
    const config = [
      "--config",
      join(directory, "pretrain.yaml"),
      "--data",
      root,
      "--data.min-seconds",
      "0.5",
    ];
    const result = await bench(...config);
    const { utterances } = await readCorpus(root, "train", { transcripts: "none" });
    const heard = utterances
      .filter(({ seconds }) => seconds >= 0.5)
      .reduce((sum, { seconds }) => sum + seconds, 0);
    expect(result.epochs! * heard).toBeCloseTo(result.recipeAudioHours * 3600, 3);
    expect(result.batchAudioSeconds).toBeLessThanOrEqual(4);
    expect(result.batchAudioSeconds).toBeGreaterThan(2);
  });

  it("takes the corpus that stands in the recipe, unless an option gives another", async () => {
    const path = join(directory, "with-corpus.yaml");
    const recipe = { task: "pretrain", max_steps: 5, data: { root: join(directory, "corpus") } };
    await writeFile(path, JSON.stringify({ ...recipe, model: TINY_MODEL }));
    expect((await bench("--config", path)).epochs).toBeGreaterThan(0);
    expect(await main(["bench", "--config", path, "--data", join(directory, "nowhere")])).toBe(1);
    expect(output.stderr).toContain("nowhere");
    await rm(path);
  });

  it.each([
    ["pretrain", "train must hold clips of at least 90 s, but all 20 are shorter. Lower data.min_seconds"],
    ["finetune", "train must hold clips of 90 to 99 s, but none of the 20 is. Change data.min_seconds or"],
  ])("says where no clip is left to %s on", async (task, message) => {
    const limits = ["--data.min-seconds", "90", "--data.max-seconds", "99"];
    const corpus = ["--data", join(directory, "corpus")];
    const config = ["--config", join(directory, `${task}.yaml`)];
    expect(await main(["bench", ...config, ...corpus, ...limits])).toBe(1);
    expect(output.stderr).toContain(message);
  });

  it.each(["pretrain", "finetune"])("says where the split to %s on is empty", async (task) => {
    const empty = join(directory, "empty");
    await mkdir(empty);
    await writeFile(join(empty, "train.jsonl"), "");
    expect(await main(["bench", "--config", join(directory, `${task}.yaml`), "--data", empty])).toBe(1);
    expect(output.stderr).toMatch(/must hold .*, but has none/);
    await rm(empty, { recursive: true });
  });

  /** Lengths of the clips, in samples, of each batch that the network heard in training and in validation. */
  async function heard(...args: string[]) {
    const training: number[][] = [];
    const validation: number[][] = [];
    const { forward } = Wav2Vec2Model.prototype;
    vi.spyOn(Wav2Vec2Model.prototype, "forward").mockImplementation(function (this: Wav2Vec2Model, input) {
      const result = forward.call(this, input);
      expect(result.lastHiddenState.requiresGrad).toBe(this.training);
      (this.training ? training : validation).push([...input.lengths!]);
      return result;
    });
    const { batchSeconds } = await bench(...args, "--data", join(directory, "corpus"));
    expect(batchSeconds).toHaveLength(2); // validation is not among them
    expect(training.length).toBeGreaterThanOrEqual(3); // one to warm up, and those of other precisions behind them
    return { training: training.slice(0, 3), validation };
  }

  it("validates as pre-training does, in padded batches of a minute, for the memory that they take", async () => {
    const config = ["--config", join(directory, "pretrain.yaml"), "--data.min-seconds", "0.1"];
    const { training, validation } = await heard(...config, "--pretraining.padding", "crop");
    for (const lengths of training) expect(new Set(lengths).size).toBe(1);
    expect(validation).toHaveLength(1); // which holds the whole split
    expect(validation[0]).toHaveLength(20);
    expect(new Set(validation[0]).size).toBeGreaterThan(1);
  });

  it("validates as fine-tuning does, in batches of the recipe's size", async () => {
    const config = ["--config", join(directory, "finetune.yaml"), "--data.min-seconds", "0.1"];
    const { validation } = await heard(...config);
    expect(validation).toHaveLength(2); // as many as are measured
    for (const lengths of validation)
      expect(Math.max(...lengths) * lengths.length).toBeLessThanOrEqual(4 * 16000);
  });

  it("says where clips are made up, and what memory is counted", async () => {
    const config = ["--batches", "1", "--config", join(directory, "finetune.yaml")];
    expect(await main(["bench", ...config])).toBe(0);
    expect(output.stdout).toMatch(/^clips {5}made up, 12\.3 s each .* data\.root is not given$/m);
    expect(output.stdout).toMatch(/^memory .* in steps or validation$/m);
    output.clear();
    expect(await main(["bench", ...config, "--data", join(directory, "corpus")])).toBe(0);
    expect(output.stdout).not.toContain("made up");
  });

  it("counts a frozen feature encoder out, and a time limit in", async () => {
    const config = ["--config", join(directory, "finetune.yaml")];
    const whole = await bench(...config);
    const frozen = await bench(...config, "--freeze-feature-encoder", "true");
    expect(frozen.parameters).toBe(whole.parameters);
    expect(frozen.checkpointMb).toBeLessThan(whole.checkpointMb);
    const limited = await bench(...config, "--max-minutes", "0.001");
    expect(limited.recipeSeconds).toBeCloseTo(0.06);
  });

  it("prints what people want to know", async () => {
    expect(
      await main([
        "bench",
        "--batches",
        "1",
        "--config",
        join(directory, "pretrain.yaml"),
        "--data",
        join(directory, "corpus"),
      ]),
    ).toBe(0);
    expect(output.stdout).toMatch(/^network {3}0\.\d\d M parameters/);
    expect(output.stdout).toMatch(/step {6}3 batches in [\d.]+ s/);
    expect(output.stdout).toMatch(/recipe {4}100 steps in/);
    expect(output.stdout).toMatch(/audio {5}[\d.]+ h, train [\d.]+ times/);
  });
});
