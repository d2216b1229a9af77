import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bridgeCounters, optim, resetBridgeCounters } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { pretrain } from "../../src/training/pretraining/pretrain.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { recorder } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

// On a GPU each read of a value makes the host wait for everything that was started before it.

let directory: string;
let data: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "transfers-"));
  data = join(directory, "corpus");
  await writeToneCorpus(data, { train: 30, dev: 3 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

interface Crossings {
  reads: number;
  copies: number;
  bytes: number;
}

/** What crosses in each step of a run, from the end of one update to that of the next. */
async function crossings(changes: Record<string, unknown>): Promise<Crossings[]> {
  const recipe = resolveRecipe({
    max_steps: 13,
    output: join(directory, String(changes.task), String(changes.precision ?? "float32")),
    data: { root: data, batch_seconds: 4, workers: 0 },
    optimizer: { learning_rate: 1e-3 },
    schedule: { warmup_steps: 2 },
    logging_steps: 4,
    eval_steps: 100,
    save_steps: 100,
    gradient_accumulation: 2,
    threads: 1,
    ...changes,
  });
  const steps: Crossings[] = [];
  const { zeroGrad } = optim.Optimizer.prototype; // the last that an update does
  vi.spyOn(optim.Optimizer.prototype, "zeroGrad").mockImplementation(function (this: optim.Optimizer) {
    zeroGrad.call(this);
    const { reads, copies, copiedBytes: bytes } = bridgeCounters();
    steps.push({ reads, copies, bytes });
    resetBridgeCounters();
  });
  const options = { tracker: recorder().tracker, resume: false, signal: new AbortController().signal };
  await (recipe.task === "pretrain" ? pretrain(recipe, options) : finetune(recipe, options));
  return steps.slice(1); // what came before the first update is none of its step
}

/** Of steps 2 to 13; what steps 4, 8 and 12 log is read behind their updates. */
const BEHIND_LOGGING = [5, 9, 13];
const LOGGED = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((step) => BEHIND_LOGGING.includes(step));
/** Losses and norms of the updates, sums over their batches, sum of the norms. */
const READS = 3;

describe("a step reads no value from the device unless it logs", () => {
  it("in pre-training, and copies nothing to it but the batch", async () => {
    const steps = await crossings({
      task: "pretrain",
      pretraining: { padding: "crop" },
      model: {
        ...TINY_MODEL,
        num_hidden_layers: 2,
        layerdrop: 0.5,
        mask_time_prob: 0.5,
        mask_time_length: 3,
        codevector_dim: 16,
        proj_codevector_dim: 16,
        num_codevectors_per_group: 20,
        num_negatives: 10,
        feature_penalty_weight: 1,
      },
    });
    expect(steps.map(({ reads }) => reads)).toEqual(LOGGED.map((logged) => (logged ? READS : 0)));
    // Audio, mask, masked frames, what they are compared with, and the clips' own frames for the feature penalty.
    for (const { copies, bytes } of steps) {
      expect(copies).toBe(2 * 5);
      expect(bytes).toBeLessThan(2 * 1.25 * 4 * 16_000 * 4); // 4 s of float32, and a quarter of that
    }
  });

  it("in fine-tuning, and copies nothing to it but the batch", async () => {
    const steps = await crossings({
      task: "finetune",
      model: { ...TINY_MODEL, mask_time_prob: 0.3, mask_feature_prob: 0.3, mask_feature_length: 2 },
    });
    expect(steps.map(({ reads }) => reads)).toEqual(LOGGED.map((logged) => (logged ? READS : 0)));
    // Audio, masked frames and channels, labels, and the clips' own frames where some are shorter.
    for (const { copies } of steps) expect([2 * 4, 2 * 4 + 1, 2 * 5]).toContain(copies);
  });

  it("but for one in float16, whose scale depends on it", async () => {
    const steps = await crossings({ task: "finetune", precision: "float16", model: TINY_MODEL });
    expect(steps.map(({ reads }) => reads)).toEqual(LOGGED.map((logged) => (logged ? READS + 1 : 1)));
  });
});
