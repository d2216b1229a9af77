import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { full, keep, manualSeed, nn, noGrad, optim, randn, type Tensor, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALONE, type World } from "../../src/distributed/world.js";
import { checkpointPath, type Progress } from "../../src/training/checkpoints/checkpoint.js";
import { CheckpointWriter } from "../../src/training/checkpoints/checkpoint-writer.js";
import { restore } from "../../src/training/checkpoints/restore.js";
import { makeOptimizer } from "../../src/training/loop/optimizer.js";
import { divideParameters, OptimizerShards } from "../../src/training/loop/optimizer-shards.js";
import { resolveRecipe } from "../../src/training/recipe/recipe.js";
import { worldsOf } from "./worlds.js";

let directory: string;
let runs = 0;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "shards-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** Of sizes that are no multiple of anything. */
class Network extends nn.Module {
  large = new nn.Linear(37, 29);
  norm = new nn.LayerNorm(29);
  small = new nn.Linear(29, 11);
  convolution = new nn.Conv1d(3, 5, 7);
  frozen = new nn.Linear(5, 5);
  dropped = new nn.Linear(7, 13);
  updates = nn.buffer(tensor([0]));
}

/** One process's training. */
interface Rank {
  module: Network;
  optimizer: optim.Optimizer;
  shards: OptimizerShards;
}

const recipe = (stage: 0 | 1) =>
  resolveRecipe({
    data: { root: "unused" },
    optimizer: { learning_rate: 0.01, weight_decay: 0.1 },
    distributed: { zero_stage: stage },
  });

type MakeOptimizer = (...given: Parameters<typeof makeOptimizer>) => optim.Optimizer;

/** SGD with momentum, in the place of the AdamW of recipes. */
const momentum: MakeOptimizer = (module, { optimizer }, isElsewhere = () => false) =>
  new optim.SGD(
    module.parameters().flatMap((each) => {
      return each.requiresGrad ? { parameters: [each], elsewhere: isElsewhere(each) } : [];
    }),
    { learningRate: optimizer.learning_rate, momentum: 0.9 },
  );

function rankOf(world: World, stage: 0 | 1 = 1, make: MakeOptimizer = makeOptimizer): Rank {
  manualSeed(1);
  const module = new Network();
  module.frozen.freeze();
  const owners = divideParameters(module, recipe(stage), world);
  const isElsewhere = (parameter: Tensor) => (owners.get(parameter) ?? world.rank) !== world.rank;
  const optimizer = make(module, recipe(stage), isElsewhere);
  // Small messages, so that parameters are cut.
  const shards = new OptimizerShards(module, optimizer, owners, world, { messageElements: 1000 });
  return { module, optimizer, shards };
}

/** Update `step`, from the gradients that all processes have. */
async function update({ module, optimizer, shards }: Rank, step: number): Promise<void> {
  manualSeed(100 + step);
  for (const [name, parameter] of module.namedParameters()) {
    const gradient = keep(randn(parameter.shape));
    const idle = name.startsWith("frozen.") || (name.startsWith("dropped.") && step < 3);
    const late = !name.startsWith("small.") && step < 1; // the head alone, at first
    parameter.grad = idle || late ? undefined : gradient;
  }
  noGrad(() => module.updates.add_(1));
  optimizer.learningRate = 0.01 / (1 + step);
  const broken = keep(full([], Number(step === 2), { dtype: "bool" }));
  await shards.step(broken);
  optimizer.zeroGrad();
}

const weights = ({ module }: Rank) =>
  Array.from(module.stateDict(), ([name, values]) => [name, Buffer.from(values.toBytes()).toString("hex")]);

/** Bytes of the moments that a process has. */
function momentBytes({ optimizer }: Rank): number {
  const moments = Object.values(optimizer.state().moments).flat();
  return moments.reduce((sum, moment) => sum + 4 * (moment?.numel ?? 0), 0);
}

const STEPS = 6;
const progressAt = (step: number): Progress => ({
  step,
  position: { epoch: 0, batch: step },
  data: "clips",
  seconds: 1,
  evaluated: 0,
});

/** All ranks of a training, from a checkpoint where `resume` names one, up to the last step. */
async function train({
  size,
  stage = 1,
  resume,
  saveAt,
  make = makeOptimizer,
}: {
  size: number;
  stage?: 0 | 1;
  resume?: string;
  saveAt?: number;
  make?: MakeOptimizer;
}) {
  const output = resume ?? join(directory, `run-${runs++}`);
  const worlds = size === 1 ? [ALONE] : worldsOf(size);
  const ranks = await Promise.all(
    worlds.map(async (world) => {
      const rank = rankOf(world, stage, make);
      const { shards, module, optimizer } = rank;
      if (world.rank > 0) for (const each of module.stateDict().values()) noGrad(() => each.fill_(9));
      const restored = await restore(output, {
        ...{ resume: resume !== undefined, shards, world },
        onNote: (text) => expect.fail(text),
      });
      await shards.share();
      const options = { keep: 2, step: 0, onNote: (text: string) => expect.fail(text) };
      await using writer =
        world.rank === 0 && saveAt !== undefined
          ? new CheckpointWriter(output, module, optimizer, options)
          : undefined;
      for (let step = restored?.step ?? 0; step < STEPS; step++) {
        await update(rank, step);
        if (step + 1 !== saveAt) continue;
        await shards.collect(step + 1, writer);
        await writer?.save(progressAt(step + 1));
      }
      return rank;
    }),
  );
  const sent = worlds.map((world) => ("sent" in world ? (world.sent as number) : 0));
  return { ranks, output, sent };
}

describe("an optimiser divided among processes", () => {
  it.each([2, 3, 5])("makes in %i what one makes alone, to the bit, and all have it", async (size) => {
    const { ranks: alone } = await train({ size: 1, stage: 0 });
    const { ranks } = await train({ size });
    for (const rank of ranks) {
      expect(weights(rank)).toEqual(weights(alone[0]!));
      expect(rank.optimizer.state().steps).toEqual(alone[0]!.optimizer.state().steps);
    }
    const total = momentBytes(alone[0]!);
    const bytes = ranks.map(momentBytes);
    expect(bytes.reduce((sum, each) => sum + each)).toBe(total);
    // The largest parameter is most of this network.
    expect(Math.max(...bytes)).toBe(2 * 4 * 37 * 29);
  });

  it("has moments of its share alone", async () => {
    const { ranks } = await train({ size: 2 });
    const held = ranks.map(({ optimizer }) =>
      optimizer.state().moments.exp_avg!.map((moment) => moment !== undefined),
    );
    for (const [place, here] of held[0]!.entries()) expect(held[1]![place]).toBe(!here);
  });

  it("divides nothing in one process, or where the recipe does not want it", async () => {
    const [one] = (await train({ size: 1 })).ranks;
    const { ranks: two, sent } = await train({ size: 2, stage: 0 });
    const [plain] = (await train({ size: 1, stage: 0 })).ranks;
    for (const rank of [one!, ...two]) {
      expect(momentBytes(rank)).toBe(momentBytes(plain!));
      expect(weights(rank)).toEqual(weights(plain!));
    }
    expect(sent).toEqual([0, 0]);
  });

  it("writes the checkpoint that one process writes, and goes on from it in any number of them", async () => {
    const { ranks: alone, output: single } = await train({ size: 1, stage: 0, saveAt: 4 });
    const files = ["model.safetensors", "optimizer.safetensors"];
    const read = (output: string) =>
      Promise.all(files.map((file) => readFile(join(checkpointPath(output, 4), file))));
    const expected = await read(single);
    for (const size of [2, 3]) {
      const { output } = await train({ size, saveAt: 4 });
      expect((await read(output)).map((bytes, file) => bytes.equals(expected[file]!))).toEqual([true, true]);
      for (const resumed of [
        { size: 1, stage: 0 as const },
        { size: 2, stage: 0 as const },
        { size: 2 },
        { size: 3 },
      ])
        for (const rank of (await train({ ...resumed, resume: output })).ranks)
          expect(weights(rank)).toEqual(weights(alone[0]!));
    }
    for (const rank of (await train({ size: 3, resume: single })).ranks)
      expect(weights(rank)).toEqual(weights(alone[0]!));
  });

  it("is of any kind", async () => {
    const one = { size: 1, stage: 0 as const, make: momentum };
    const { ranks: alone, output } = await train({ ...one, saveAt: 4 });
    const { ranks, output: divided } = await train({ size: 2, make: momentum, saveAt: 4 });
    for (const rank of ranks) expect(weights(rank)).toEqual(weights(alone[0]!));
    expect(momentBytes(ranks[0]!) + momentBytes(ranks[1]!)).toBe(momentBytes(alone[0]!));
    for (const resumed of [
      { ...one, resume: divided },
      { size: 3, make: momentum, resume: output },
    ])
      for (const rank of (await train(resumed)).ranks) expect(weights(rank)).toEqual(weights(alone[0]!));
  });

  it("writes the copy that was collected again, where the first writing failed", async () => {
    const [world] = worldsOf(1);
    const { module, optimizer, shards } = rankOf(world!);
    const output = join(directory, `run-${runs++}`);
    const notes: string[] = [];
    const options = { keep: 2, step: 0, onNote: (text: string) => void notes.push(text) };
    await writeFile(output, "in the way of the directory");
    await using writer = new CheckpointWriter(output, module, optimizer, options);
    await update({ module, optimizer, shards }, 1);
    await writer.take(1);
    const before = weights({ module, optimizer, shards });
    await writer.save(progressAt(1));
    await writer.settled();
    expect(notes.join()).toContain("must be written, but");
    await rm(output);
    for (const parameter of module.parameters()) noGrad(() => parameter.zero_()); // nothing is copied again
    await writer.complete(1, () => writer.save(progressAt(1)));
    const fresh = rankOf(world!);
    await restore(output, { resume: true, shards: fresh.shards, world: ALONE, onNote: () => {} });
    expect(weights(fresh)).toEqual(before);
  });
});
