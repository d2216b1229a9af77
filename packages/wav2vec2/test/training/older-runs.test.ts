import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Random } from "../../src/data/random.js";
import { loadRecognizer } from "../../src/recognition/recognizer.js";
import { version } from "../../src/version.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { TINY_MODEL, toneClip, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { rowsOf, TrainingProcess } from "./training-process.js";

// What an older version has written is read: its runs go on and its models recognise. A directory for each minor version,
// written by `WRITE_GOLDEN_RUNS=1 npx vitest run packages/wav2vec2/test/training/older-runs.test.ts` before its release.

const GOLDEN = fileURLToPath(new URL("../golden/runs/", import.meta.url));
const CHECKOUT = fileURLToPath(new URL("../../../..", import.meta.url));
const TASKS = ["finetune", "pretrain"] as const;
const STEPS = 4;
const QUANTIZER = {
  num_codevectors_per_group: 8,
  codevector_dim: 16,
  proj_codevector_dim: 16,
  num_negatives: 10,
};

/** A directory with the corpus and the recipe of the runs. */
async function prepared(task: (typeof TASKS)[number]) {
  const directory = await temporaryDirectory("older-runs");
  await writeToneCorpus(join(directory, "corpus"), { train: 30, dev: 3 });
  const recipe = {
    task,
    model: { ...TINY_MODEL, ...QUANTIZER, layerdrop: 0 },
    data: { batch_seconds: 4 },
    schedule: { warmup_steps: 2 },
    precision: "float32",
    logging_steps: 1,
    eval_steps: 2,
    save_steps: 2,
    keep_checkpoints: 1,
    threads: 1,
  };
  await writeFile(join(directory, "recipe.yaml"), JSON.stringify(recipe));
  return directory;
}

async function train(directory: string, command: (typeof TASKS)[number], steps: number, ...args: string[]) {
  const options = ["--config", "recipe.yaml", "--data", "corpus", "--max-steps", String(steps), ...args];
  const run = new TrainingProcess(directory, join(directory, command), options, { command });
  expect(await run.ended, run.said).toBe(0);
}

const minor = version().split(".").slice(0, 2).join(".");
it.runIf(process.env.WRITE_GOLDEN_RUNS)(`runs of ${minor} are written`, async () => {
  for (const task of TASKS) {
    const directory = await prepared(task);
    await train(directory, task, STEPS);
    const kept = join(GOLDEN, minor, task);
    rmSync(kept, { recursive: true, force: true });
    for (const name of ["best", "checkpoints", "metrics.jsonl", "recipe.yaml", "run.json"])
      cpSync(join(directory, task, name), join(kept, name), { recursive: true });
    for (const name of ["recipe.yaml", "run.json"]) {
      const text = readFileSync(join(kept, name), "utf8");
      await writeFile(
        join(kept, name),
        text.replaceAll(directory, "/runs").replaceAll(CHECKOUT, "/checkout/"),
      );
    }
  }
});

const versions = existsSync(GOLDEN) ? readdirSync(GOLDEN) : [];
it("there are runs of this version, for later ones to read", () => {
  expect(versions).toContain(minor);
});

describe.each(versions)("runs of version %s", (older) => {
  it.each(TASKS)("%s goes on where it stopped", async (task) => {
    const directory = await prepared(task);
    const output = join(directory, task);
    cpSync(join(GOLDEN, older, task), output, { recursive: true });
    const before = rowsOf(output);
    expect(before.length).toBeGreaterThanOrEqual(STEPS);
    await train(directory, task, STEPS + 2, "--resume");
    const rows = rowsOf(output);
    expect(rows.slice(0, before.length)).toEqual(before);
    expect(rows.filter((row) => "loss" in row).map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("its model recognises", async () => {
    const recognizer = await loadRecognizer(join(GOLDEN, older, "finetune/best"));
    const { text } = await recognizer.transcribe({
      samples: toneClip("ABC", new Random(1, "clip")),
      sampleRate: 16000,
    });
    expect(typeof text).toBe("string");
  });
});
