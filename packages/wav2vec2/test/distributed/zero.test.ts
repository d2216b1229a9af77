import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { manualSeed } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { configWithKeys } from "../../src/model/configuration-file.js";
import { Wav2Vec2ForPreTraining } from "../../src/model/heads/pretraining/pretraining.js";
import { PRESETS } from "../../src/model/presets.js";
import { saveModel } from "../../src/pretrained/model-directory.js";
import { checkpointPath, listCheckpoints } from "../../src/training/checkpoints/checkpoint.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { curveOf } from "../training/training-process.js";
import { LaunchFixture } from "./launch-fixture.js";

// Several real processes that divide the optimiser's moments (distributed.zero_stage: 1) train what they train undivided, to
// the bit.

const STEPS = 10;
const SAVED = [4, 8, 10];

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
  await writeToneCorpus(at("corpus"), { train: 40, dev: 7 });
  const common = {
    data: { batch_seconds: 3, root: "corpus" },
    threads: 1,
    logging_steps: 1,
    eval_steps: 4,
    save_steps: 4,
    keep_checkpoints: SAVED.length,
    max_steps: STEPS,
    schedule: { warmup_steps: 2 },
  };
  // One layer, which LayerDrop leaves out in some steps.
  const chance = { layerdrop: 0.3, hidden_dropout: 0.1, attention_dropout: 0.1 };
  const codebooks = { codevector_dim: 16, proj_codevector_dim: 16, num_codevectors_per_group: 20 };
  const masks = { mask_time_prob: 0.5, num_negatives: 10 };
  const network = { ...TINY_MODEL, ...chance, ...codebooks, ...masks };
  const recipes = {
    pretrain: { ...common, task: "pretrain", model: network },
    finetune: {
      ...common,
      init: "init",
      precision: "float16",
      freeze_backbone_steps: 5,
      optimizer: { layer_decay: 0.7, head_learning_rate: 2e-3 },
    },
  };
  for (const [name, recipe] of Object.entries(recipes))
    await writeFile(at(`${name}.yaml`), JSON.stringify(recipe));
  manualSeed(1);
  const config = configWithKeys(PRESETS.base, { ...TINY_MODEL, num_hidden_layers: 2 }, "The test's model");
  await saveModel(at("init"), new Wav2Vec2ForPreTraining(config), { normalize: true });
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

const at = (path: string) => join(fixture.directory, path);

interface Training {
  task?: "pretrain" | "finetune";
  processes: number;
  accumulation?: number;
  stage: 0 | 1;
  more?: readonly string[];
}

async function train(
  output: string,
  { task = "pretrain", processes, accumulation = 1, stage, more = [] }: Training,
): Promise<void> {
  const numbers = [
    "--gradient-accumulation",
    String(accumulation),
    "--distributed.zero-stage",
    String(stage),
  ];
  const args = [task, "--config", `${task}.yaml`, "--output", output, ...numbers, ...more];
  const { code, stderr } = await fixture.wav2vec2(["--nproc-per-node", String(processes), "--", ...args])
    .ended;
  expect([code, stderr.includes("must")], stderr).toEqual([0, false]);
}

const curve = (output: string) => curveOf(at(output));

/** The same curve, checkpoints and model, to the bit. */
async function expectSameRun(actual: string, expected: string): Promise<void> {
  expect(curve(actual)).toEqual(curve(expected));
  expect(await listCheckpoints(at(actual))).toEqual(SAVED);
  for (const step of SAVED)
    for (const file of ["model.safetensors", "optimizer.safetensors"]) await expectSameBytes(step, file);
  async function expectSameBytes(step: number, file: string): Promise<void> {
    const [own, right] = await Promise.all(
      [actual, expected].map((output) => readFile(join(checkpointPath(at(output), step), file))),
    );
    expect(own!.equals(right!), `${file} of step ${step}`).toBe(true);
  }
}

/** Equal but for the rounding of sums in another order. */
function expectCloseCurve(actual: string, expected: string): void {
  const [own, right] = [curve(actual), curve(expected)];
  expect(own.map(Object.keys)).toEqual(right.map(Object.keys));
  for (const [line, row] of right.entries())
    for (const [name, value] of Object.entries(row))
      expect(Math.abs(own[line]![name]! - value), `${name} of step ${row.step}`).toBeLessThanOrEqual(
        2e-5 * Math.max(1, Math.abs(value)),
      );
}

/** Goes on from the checkpoint of the first of {@link SAVED} of another run. */
async function goOn(output: string, from: string, training: Training): Promise<void> {
  await cp(at(from), at(output), { recursive: true });
  for (const step of SAVED.slice(1)) await rm(checkpointPath(at(output), step), { recursive: true });
  await rm(at(join(output, "final")), { recursive: true });
  await train(output, { ...training, more: ["--resume"] });
}

describe("divided moments", { timeout: 400_000 }, () => {
  it("change nothing to pre-training, and a run goes on with or without them, in two, three or one", async () => {
    const two = { processes: 2, accumulation: 3 };
    await train("plain", { ...two, stage: 0 });
    await train("divided", { ...two, stage: 1 });
    expect(curve("plain").filter((row) => "loss" in row)).toHaveLength(STEPS);
    await expectSameRun("divided", "plain");
    await goOn("again", "divided", { ...two, stage: 1 });
    await goOn("joined", "divided", { ...two, stage: 0 });
    await goOn("parted", "plain", { ...two, stage: 1 });
    for (const output of ["again", "joined", "parted"]) await expectSameRun(output, "plain");
    await goOn("three", "divided", { processes: 3, accumulation: 2, stage: 1 });
    await goOn("alone", "divided", { processes: 1, accumulation: 6, stage: 1 });
    for (const output of ["three", "alone"]) expectCloseCurve(output, "plain");
  });

  it("change nothing in three processes, or where gradients are sent as bfloat16", async () => {
    for (const [name, training] of [
      ["of-three", { processes: 3 }],
      ["rounded", { processes: 2, more: ["--distributed.gradient-compression", "bfloat16"] }],
    ] as const) {
      await train(`${name}-plain`, { ...training, stage: 0 });
      await train(`${name}-divided`, { ...training, stage: 1 });
      await expectSameRun(`${name}-divided`, `${name}-plain`);
    }
  });

  it("change nothing to fine-tuning whose backbone learns later, with rates by layer, in float16", async () => {
    const training = { task: "finetune", processes: 2, accumulation: 2 } as const;
    await train("late-plain", { ...training, stage: 0 });
    await train("late-divided", { ...training, stage: 1 });
    expect(curve("late-plain").some((row) => "loss_scale" in row)).toBe(true);
    await goOn("thawed", "late-divided", { ...training, stage: 1 }); // from where the backbone has no moments yet
    for (const output of ["late-divided", "thawed"]) await expectSameRun(output, "late-plain");
  });
});
