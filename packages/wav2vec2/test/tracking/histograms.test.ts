import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bridgeCounters, loadTensors, optim, resetBridgeCounters } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { combineTrackers, type Histogram } from "../../src/tracking/tracker.js";
import { finetune } from "../../src/training/finetuning/finetune.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { finalWeights, recorder, reproducible } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "histograms-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 12, dev: 3 });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe("histogram_steps", () => {
  async function run(name: string, changes: Record<string, unknown>) {
    const output = join(directory, name);
    const recipe = resolveRecipe({
      max_steps: 5,
      output,
      data: { root: join(directory, "corpus"), batch_seconds: 4, workers: 0 },
      optimizer: { learning_rate: 1e-3 },
      schedule: { warmup_steps: 0 },
      model: TINY_MODEL,
      logging_steps: 1,
      eval_steps: 100,
      save_steps: 100,
      threads: 1,
      task: "finetune",
      ...changes,
    });
    const reads: number[] = [];
    const { zeroGrad } = optim.Optimizer.prototype;
    resetBridgeCounters();
    vi.spyOn(optim.Optimizer.prototype, "zeroGrad").mockImplementation(function (this: optim.Optimizer) {
      zeroGrad.call(this);
      reads.push(bridgeCounters().reads);
      resetBridgeCounters();
    });
    const seen: { step: number; histograms: Readonly<Record<string, Histogram>> }[] = [];
    const { tracker, rows } = recorder();
    await finetune(recipe, {
      tracker: combineTrackers([
        tracker,
        { histograms: (histograms, step) => void seen.push({ step, histograms }) },
      ]),
      resume: false,
      signal: new AbortController().signal,
    });
    vi.restoreAllMocks();
    return {
      rows: reproducible(rows),
      seen,
      reads: reads.slice(1),
      weights: await finalWeights(output),
      output,
    };
  }

  it("tells of all weights and their gradients, and changes nothing", async () => {
    const without = await run("without", {});
    const { seen, rows, reads, weights, output } = await run("with", { histogram_steps: 2 });
    expect(seen.map(({ step }) => step)).toEqual([2, 4]);
    expect(without.seen).toEqual([]);
    expect(rows).toEqual(without.rows);
    expect(weights).toEqual(without.weights);
    expect(reads).toEqual(without.reads.map((count, index) => count + Number(index % 2 === 0)));

    const { tensors } = await loadTensors(join(output, "final", "model.safetensors"));
    const { histograms } = seen[1]!;
    for (const [name, { numel }] of tensors) {
      const total = (kind: string) =>
        histograms[`${kind}/${name}`]?.counts.reduce((sum, count) => sum + count);
      expect([name, total("weights")]).toEqual([name, numel]);
      if (!name.endsWith("masked_spec_embed")) expect([name, total("gradients")]).toEqual([name, numel]);
    }
  });
});
