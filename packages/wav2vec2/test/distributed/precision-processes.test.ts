import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configFromHuggingFace } from "../../src/model/configuration-file.js";
import { knownSpeed } from "../../src/precision/known-speeds.js";
import { type Rank, startByHand } from "../fixtures/by-hand.js";
import { finalWeights } from "../fixtures/recorder.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { curveOf } from "../training/training-process.js";

// What precision: auto becomes in two real processes that have measured otherwise. How fast bfloat16 is on this machine plays no part.

/** The narrowest network for which `auto` measures. */
const WIDE = {
  ...TINY_MODEL,
  ...{ hidden_size: 256, intermediate_size: 64, mask_time_prob: 0.5, num_negatives: 10 },
  ...{ codevector_dim: 16, proj_codevector_dim: 16, num_codevectors_per_group: 20 },
};
const SPEEDS = { fast: 2, slow: 0.5 };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "precision-processes-"));
  await writeToneCorpus(join(directory, "corpus"), { train: 8, dev: 4 });
  const recipe = {
    task: "pretrain",
    max_steps: 2,
    data: { root: "corpus", batch_seconds: 2 },
    model: WIDE,
    ...{ eval_steps: 100, save_steps: 2, logging_steps: 1, threads: 1 },
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
  const network = configFromHuggingFace({ model_type: "wav2vec2", ...WIDE }, "it");
  for (const [cache, speed] of Object.entries(SPEEDS))
    await knownSpeed(network, "cpu", "training", {
      path: join(directory, cache, "precision.json"),
      measure: () => speed,
    });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Pre-trains in two processes, whose caches hold what each has measured. @returns what they said of the precision */
async function pretrain(
  output: string,
  caches: readonly [keyof typeof SPEEDS, keyof typeof SPEEDS],
  ...more: readonly string[]
): Promise<string[]> {
  const args = ["pretrain", "--config", "recipe.yaml", "--output", output, ...more];
  const ranks = await startByHand(directory, (rank) => ({
    args,
    env: { WAV2VEC2_CACHE: join(directory, caches[rank]!) },
  }));
  const ends = await Promise.all(ranks.map(({ ended }: Rank) => ended));
  for (const { code, stderr } of ends) expect(code, stderr).toBe(0);
  return ends.flatMap(({ stderr }, rank) =>
    stderr
      .split("\n")
      .filter((line) => line.startsWith("precision: "))
      .map((line) => `${rank}: ${line}`),
  );
}

async function recorded(output: string): Promise<string | undefined> {
  return /^precision: (.*)$/m.exec(await readFile(join(directory, output, "recipe.yaml"), "utf8"))?.[1];
}

/** Weights and losses, the same to the bit where both processes computed in the same. */
async function resultOf(output: string) {
  return { weights: await finalWeights(join(directory, output)), curve: curveOf(join(directory, output)) };
}

describe("two processes with precision: auto", () => {
  it("both compute in what rank 0 has measured to be faster, and go on in it", async () => {
    await pretrain("named", ["slow", "slow"], "--precision", "bfloat16", "--max-steps", "4");
    const told = await pretrain("auto", ["fast", "slow"]);
    expect(told).toEqual(["0: precision: bfloat16 (auto: bfloat16 is 2 times as fast on this processor)"]);
    expect(await recorded("auto")).toBe("bfloat16");

    const resumed = await pretrain("auto", ["slow", "slow"], "--resume", "--max-steps", "4");
    expect(resumed[0]).toBe("0: precision: bfloat16 (auto: as the run was begun)");
    expect(await recorded("auto")).toBe("bfloat16");
    expect(await resultOf("auto")).toEqual(await resultOf("named"));
  });

  it("are in float32 where rank 0 is not faster in bfloat16, though the other is", async () => {
    const told = await pretrain("slow", ["slow", "fast"]);
    expect(told).toEqual(["0: precision: float32 (auto: bfloat16 is 0.5 times as fast on this processor)"]);
    expect(await recorded("slow")).toBe("float32");
  });
});
