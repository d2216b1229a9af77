import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { loadTensors } from "@wav2vec2/libtorch";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startByHand } from "../fixtures/by-hand.js";
import { TINY_MODEL, writeToneCorpus } from "../fixtures/tone-corpus.js";
import { curveOf, lastStep } from "../training/training-process.js";
import { LaunchFixture } from "./launch-fixture.js";

// Several real processes train what one trains.

let fixture: LaunchFixture;
beforeAll(async () => {
  fixture = await LaunchFixture.make();
  await writeToneCorpus(join(fixture.directory, "corpus"), { train: 40, dev: 7 });
  const common = {
    data: { batch_seconds: 3, root: "corpus" },
    threads: 1,
    logging_steps: 1,
    eval_steps: 4,
    save_steps: 4,
    max_steps: 10,
    schedule: { warmup_steps: 2 },
  };
  const chance = { layerdrop: 0.3, hidden_dropout: 0.1, attention_dropout: 0.1 };
  const codebooks = { codevector_dim: 16, proj_codevector_dim: 16, num_codevectors_per_group: 20 };
  const masks = { mask_time_prob: 0.5, num_negatives: 10 };
  const recipes = {
    finetune: { ...common, model: { ...TINY_MODEL, ...chance, mask_time_prob: 0.2, mask_time_length: 3 } },
    pretrain: { ...common, task: "pretrain", model: { ...TINY_MODEL, ...chance, ...codebooks, ...masks } },
  };
  for (const [name, recipe] of Object.entries(recipes))
    await writeFile(join(fixture.directory, `${name}.yaml`), JSON.stringify(recipe));
});
afterEach(() => fixture.killAll());
afterAll(() => fixture.remove());

const at = (output: string) => join(fixture.directory, output);

interface Training {
  task: "pretrain" | "finetune";
  processes: number;
  accumulation: number;
  output: string;
  more?: readonly string[];
}

function launch({ task, processes, accumulation, output, more = [] }: Training) {
  const own = [
    "--config",
    `${task}.yaml`,
    "--output",
    output,
    "--gradient-accumulation",
    String(accumulation),
  ];
  return fixture.wav2vec2(["--nproc-per-node", String(processes), "--", task, ...own, ...more]);
}

async function train(training: Training): Promise<void> {
  const { code, stderr } = await launch(training).ended;
  expect([code, stderr.includes("must")], stderr).toEqual([0, false]);
}

async function weights(output: string): Promise<Map<string, number[]>> {
  const { tensors } = await loadTensors(join(at(output), "final", "model.safetensors"));
  return new Map(Array.from(tensors, ([name, tensor]) => [name, tensor.toArray()]));
}

/** Equal but for the rounding of sums in another order. */
function expectSameCurve(actual: string, expected: string): void {
  const [own, right] = [curveOf(at(actual)), curveOf(at(expected))];
  expect(own.map(Object.keys)).toEqual(right.map(Object.keys));
  for (const [line, row] of right.entries()) {
    for (const [name, value] of Object.entries(row)) {
      const difference = Math.abs(own[line]![name]! - value);
      expect(difference, `${name} of step ${row.step}`).toBeLessThanOrEqual(
        2e-5 * Math.max(1, Math.abs(value)),
      );
    }
  }
}

describe("several processes", () => {
  it("pre-train as one does that sees the same batches, with dropout, LayerDrop and Gumbel noise", async () => {
    await train({ task: "pretrain", processes: 1, accumulation: 4, output: "p1" });
    await train({ task: "pretrain", processes: 2, accumulation: 2, output: "p2" });
    await train({ task: "pretrain", processes: 4, accumulation: 1, output: "p4" });
    expect(curveOf(at("p1")).filter((row) => "loss" in row)).toHaveLength(10);
    expectSameCurve("p2", "p1");
    expectSameCurve("p4", "p1");
    const [one, four] = await Promise.all(["p1", "p4"].map(weights));
    for (const [name, values] of one!)
      for (const [i, value] of values.entries()) expect(four!.get(name)![i], name).toBeCloseTo(value, 3);
  });

  it("fine-tune as one does, with the same error rate", async () => {
    const frozen = { task: "finetune", more: ["--max-steps", "6"] } as const;
    await train({ ...frozen, processes: 1, accumulation: 2, output: "f1" });
    await train({ ...frozen, processes: 2, accumulation: 1, output: "f2" });
    expectSameCurve("f2", "f1");
    const rates = (output: string) => curveOf(at(output)).flatMap((row) => row["eval/wer"] ?? []);
    expect(rates("f2")).toEqual(rates("f1"));
    expect(rates("f2")).toHaveLength(2);
  });

  it("go on as three or as one where two were killed", async () => {
    await train({ task: "pretrain", processes: 2, accumulation: 3, output: "whole" });
    const { child, ended } = launch({ task: "pretrain", processes: 2, accumulation: 3, output: "killed" });
    while (lastStep(at("killed")) < 6) await sleep(20);
    process.kill(-child.pid!, "SIGKILL");
    await ended;
    await cp(at("killed"), at("alone"), { recursive: true });
    const resumed = { task: "pretrain", more: ["--resume"] } as const;
    // A launcher's processes end by themselves soon after it: the run's lock is theirs until then.
    await sleep(1000);
    await rm(join(at("alone"), "run.lock"), { recursive: true, force: true });
    await train({ ...resumed, processes: 3, accumulation: 2, output: "killed" });
    await train({ ...resumed, processes: 1, accumulation: 6, output: "alone" });
    expectSameCurve("killed", "whole");
    expectSameCurve("alone", "whole");
  });

  it("are refused where the split has fewer batches than processes", async () => {
    const few = { task: "pretrain", processes: 2, accumulation: 1, output: "few" } as const;
    const { code, stderr } = await launch({ ...few, more: ["--data.batch-seconds", "1000"] }).ended;
    expect(code).toBe(1);
    expect(stderr).toContain(
      "train must hold a batch for each of the 2 processes, but holds 1 (40 clips). Use fewer processes, or smaller batches",
    );
  });

  it("stop together at a step where one of them is asked to", async () => {
    const more = ["--max-steps", "5000", "--eval-steps", "5000", "--save-steps", "5000"];
    const args = ["pretrain", "--config", "pretrain.yaml", "--output", "stopped", ...more];
    const ranks = await startByHand(fixture.directory, () => ({ args }));
    while (lastStep(at("stopped")) < 3) await sleep(20);
    ranks[1]!.child.kill("SIGTERM");
    const [first, second] = await Promise.all(ranks.map(({ ended }) => ended));
    expect([first!.code, second!.code]).toEqual([130, 143]);
    expect(first!.stderr).toContain(
      `Interrupted after step ${lastStep(at("stopped"))}; the checkpoint is complete.`,
    );
  });

  it("are refused where their recipes differ, naming the key", async () => {
    const args = ["pretrain", "--config", "pretrain.yaml", "--output", "differ"];
    const ranks = await startByHand(fixture.directory, (rank) => ({
      args: [...args, "--optimizer.learning-rate", rank === 0 ? "0.001" : "0.002"],
    }));
    for (const { code, stderr } of await Promise.all(ranks.map(({ ended }) => ended))) {
      expect(code).toBe(2);
      expect(stderr).toContain(
        "The recipe's optimizer.learning_rate must be the same in all processes, but is 0.002 in rank 1 and 0.001 in rank 0.",
      );
    }
  });
});
