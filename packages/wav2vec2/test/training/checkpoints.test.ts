import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTensors, manualSeed, nn, optim, saveTensors, scope, tensor } from "@wav2vec2/libtorch";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  checkpointPath,
  findCheckpoint,
  listCheckpoints,
  loadCheckpoint,
  type Progress,
} from "../../src/training/checkpoints/checkpoint.js";
import { CheckpointWriter } from "../../src/training/checkpoints/checkpoint-writer.js";

class Model extends nn.Module {
  first: nn.Linear;
  second: nn.Linear;

  constructor(width = 5) {
    super();
    this.first = new nn.Linear(4, width);
    this.second = new nn.Linear(width, 2);
  }
}

const adamw = (model: Model) => new optim.AdamW(model.parameters(), { learningRate: 0.1 });
const momentum = (model: Model) => new optim.SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });

/** A model that has been trained for a step. */
function trained(
  width?: number,
  optimizerOf: (model: Model) => optim.Optimizer = adamw,
): { model: Model; optimizer: optim.Optimizer } {
  manualSeed(1);
  const model = new Model(width);
  const optimizer = optimizerOf(model);
  step(model, optimizer);
  return { model, optimizer };
}

function step(model: Model, optimizer: optim.Optimizer): void {
  scope(() =>
    model.second
      .forward(model.first.forward(tensor([1, 2, 3, 4])))
      .sum()
      .backward(),
  );
  optimizer.step();
  optimizer.zeroGrad();
}

const progressAt = (at: number): Progress => ({
  step: at,
  position: { epoch: 1, batch: at },
  data: "clips",
  seconds: 12.5,
  evaluated: 0,
  reducer: { order: [2, 0, 1] },
});

const values = ({ model, optimizer }: { model: Model; optimizer: optim.Optimizer }) => {
  const { steps, moments } = optimizer.state();
  const tensors = [...model.parameters(), ...Object.values(moments).flat()];
  return [steps, ...tensors.map((each) => each?.toArray())];
};

/** A run with checkpoints of these steps, and what was in the model at each. */
async function written(
  steps: readonly number[],
  options: {
    keep?: number;
    output?: string;
    notes?: string[];
    optimizerOf?: (model: Model) => optim.Optimizer;
  } = {},
): Promise<{ output: string; states: Map<number, unknown> }> {
  const { keep = 10, output = join(directory, String(copies++)), notes = [] } = options;
  const { model, optimizer } = trained(undefined, options.optimizerOf);
  const states = new Map<number, unknown>();
  await using writer = new CheckpointWriter(output, model, optimizer, {
    keep,
    step: 0,
    onNote: (text) => void notes.push(text),
  });
  for (const at of steps) {
    await writer.save(progressAt(at));
    states.set(at, values({ model, optimizer }));
    step(model, optimizer); // while it is written
  }
  return { output, states };
}

async function resumed(output: string, optimizerOf = adamw as (model: Model) => optim.Optimizer) {
  const notes: string[] = [];
  const at = await findCheckpoint(output, (text) => void notes.push(text));
  const fresh = trained(undefined, optimizerOf);
  step(fresh.model, fresh.optimizer);
  const progress =
    at === undefined ? undefined : await loadCheckpoint(output, at, fresh.model, fresh.optimizer);
  return { notes, progress, state: values(fresh) };
}

let example: { output: string; states: Map<number, unknown> };
let copies = 0;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "checkpoints-"));
  example = await written([10, 20, 30]);
});
afterAll(() => rm(directory, { recursive: true }));

/** A copy of a run with whole checkpoints of steps 10, 20 and 30. */
async function copy(): Promise<string> {
  const output = join(directory, String(copies++));
  await cp(example.output, output, { recursive: true });
  return output;
}

describe("checkpoints", () => {
  it("hold what was there when they were taken, whatever came while they were written", async () => {
    const { notes, progress, state } = await resumed(await copy());
    expect(notes).toEqual([]);
    expect(progress).toEqual(progressAt(30));
    expect(state).toEqual(example.states.get(30));
  });

  it("are removed once newer ones are whole, and nothing else stays beside them", async () => {
    const { output } = await written([1, 2, 3, 4, 5], { keep: 2 });
    expect((await readdir(join(output, "checkpoints"))).sort()).toEqual(["step-4", "step-5"]);
    expect((await readdir(checkpointPath(output, 5))).sort()).toEqual([
      "manifest.json",
      "model.safetensors",
      "optimizer.safetensors",
      "progress.json",
      "random.safetensors",
    ]);
  });

  it("know parameters by name", async () => {
    const path = join(checkpointPath(example.output, 30), "optimizer.safetensors");
    const { tensors } = await loadTensors(path);
    expect([...tensors.keys()].sort().slice(0, 2)).toEqual(["exp_avg.first.bias", "exp_avg.first.weight"]);
    const { model, optimizer } = trained();
    const turned = new optim.AdamW([...model.parameters()].reverse(), { learningRate: 0.1 });
    await loadCheckpoint(example.output, 30, model, turned);
    await loadCheckpoint(example.output, 30, model, optimizer);
    const moments = (of: optim.Optimizer) =>
      of.state().moments.exp_avg_sq!.map((moment) => moment?.toArray());
    expect(moments(turned)).toEqual(moments(optimizer).reverse());
  });

  const damages: [what: string, fault: RegExp, damage: (path: string) => Promise<unknown>][] = [
    [
      "a file that was cut",
      /model\.safetensors must have \d+ bytes, but has 100/,
      (path) => truncate(join(path, "model.safetensors"), 100),
    ],
    [
      "a flipped bit",
      /optimizer\.safetensors is not as it was written/,
      (path) => flip(join(path, "optimizer.safetensors")),
    ],
    ["a missing file", /random\.safetensors is missing/, (path) => rm(join(path, "random.safetensors"))],
    [
      "damaged progress",
      /progress\.json must have \d+ bytes, but has 9/,
      (path) => truncate(join(path, "progress.json"), 9),
    ],
    ["no manifest", /manifest\.json is missing/, (path) => rm(join(path, "manifest.json"))],
    [
      "half a manifest",
      /manifest\.json is not one: its text is damaged/,
      (path) => truncate(join(path, "manifest.json"), 50),
    ],
    [
      "nothing",
      /manifest\.json is missing/,
      async (path) => {
        for (const name of await readdir(path)) await rm(join(path, name));
      },
    ],
  ];
  it.each(damages)("with %s are passed over, with a word about what is wrong", async (_, fault, damage) => {
    const output = await copy();
    await damage(checkpointPath(output, 30));
    const { notes, progress, state } = await resumed(output);
    expect(progress).toEqual(progressAt(20));
    expect(state).toEqual(example.states.get(20));
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(fault);
    expect(notes[0]).toContain("Training goes on from the checkpoint of step 20; the damaged one is now");
    // Moved aside: it is neither found again nor counted among those to keep.
    expect(await listCheckpoints(output)).toEqual([10, 20]);
    expect(await readdir(join(output, "checkpoints"))).toContain("step-30.damaged");
    await damage(checkpointPath(output, 20));
    expect((await resumed(output)).progress).toEqual(progressAt(10));
    await damage(checkpointPath(output, 10));
    await expect(resumed(output)).rejects.toThrow(
      new RegExp(
        `must hold a whole checkpoint to go on from, but each is damaged \\(step-10: ${fault.source}`,
      ),
    );
    expect(await listCheckpoints(output)).toEqual([10]); // stays where it is
  });

  it("of another model are not of this run", async () => {
    const other = trained(7);
    await expect(loadCheckpoint(example.output, 30, other.model, other.optimizer)).rejects.toThrow(
      /step-30 must be a checkpoint of this run, but is not: its model has other parameters than the recipe's/,
    );
    const { model } = trained();
    const fewer = new optim.AdamW([...model.first.parameters()], { learningRate: 0.1 });
    await expect(loadCheckpoint(example.output, 30, model, fewer)).rejects.toThrow(
      /its optimiser has other parameters than the recipe's/,
    );
  });

  it("are of any optimiser, and of no other kind than the run's", async () => {
    const { output, states } = await written([10], { optimizerOf: momentum });
    expect((await resumed(output, momentum)).state).toEqual(states.get(10));
    const { tensors } = await loadTensors(join(checkpointPath(output, 10), "optimizer.safetensors"));
    expect([...tensors.keys()].sort()[0]).toBe("momentum_buffer.first.bias");
    await expect(resumed(output)).rejects.toThrow(/its optimiser is SGD, and the run's is AdamW/);
    await expect(resumed(await copy(), momentum)).rejects.toThrow(
      /its optimiser is AdamW, and the run's is SGD/,
    );
    const plain = (model: Model) => new optim.SGD(model.parameters(), { learningRate: 0.1 });
    await expect(resumed(output, plain)).rejects.toThrow(/keeps more of each parameter than the run's/);
    const amsgrad = (model: Model) =>
      new optim.AdamW(model.parameters(), { learningRate: 0.1, amsgrad: true });
    await expect(resumed(await copy(), amsgrad)).rejects.toThrow(
      /its optimiser has no max_exp_avg_sq, which the run's keeps/,
    );
  });

  it("of earlier versions are taken unchecked", async () => {
    const output = await copy();
    const path = checkpointPath(output, 30);
    await rm(join(path, "manifest.json"));
    const {
      format: _,
      optimizerSteps,
      ...progress
    } = JSON.parse(await readFile(join(path, "progress.json"), "utf8"));
    await writeFile(
      join(path, "progress.json"),
      JSON.stringify({ ...progress, optimizerSteps: Object.values(optimizerSteps) }),
    );
    const { tensors } = await loadTensors(join(path, "optimizer.safetensors"));
    const names = Object.keys(optimizerSteps);
    const placed = [...tensors].map(([name, values]) => {
      const [, kind, parameter] = /^(exp_avg(?:_sq)?)\.(.*)$/.exec(name)!;
      return [`${kind}.${names.indexOf(parameter!)}`, values] as const;
    });
    await saveTensors(join(path, "optimizer.safetensors"), placed);
    const { notes, progress: read, state } = await resumed(output);
    expect(notes).toEqual([
      `${path} was written by an earlier version without hashes: it is taken unchecked.`,
    ]);
    expect(read).toEqual(progressAt(30));
    expect(state).toEqual(example.states.get(30));
  });

  it("of newer versions are refused", async () => {
    const output = await copy();
    const path = join(checkpointPath(output, 30), "progress.json");
    await writeFile(path, (await readFile(path, "utf8")).replace('"format":2', '"format":3'));
    const { model, optimizer } = trained();
    await expect(loadCheckpoint(output, 30, model, optimizer)).rejects.toThrow(
      /its format is 3, of a newer version/,
    );
  });

  it("say where they cannot be written, keep the older ones, and are tried again", async () => {
    const notes: string[] = [];
    const { output } = await written([10], { notes });
    const { model, optimizer } = trained();
    await using writer = new CheckpointWriter(output, model, optimizer, {
      keep: 1,
      step: 10,
      onNote: (text) => void notes.push(text),
    });
    const broken = join(output, "checkpoints");
    await rm(broken, { recursive: true });
    await writeFile(broken, "no directory"); // for any user, as a fault of the disk would be
    await writer.save(progressAt(20));
    await writer.settled();
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(
      /step-20 must be written, but .*\(it takes [\d.]+ kB.*\)\. The newest checkpoint is that of step 10\..*Training goes on/,
    );
    await expect(writer.complete(20, () => writer.save(progressAt(20)))).rejects.toThrow(
      /step-20 must be written/,
    );
    await rm(broken);
    await writer.complete(20, () => writer.save(progressAt(20)));
    expect(await listCheckpoints(output)).toEqual([20]);
  });

  it("wait for the one before, and say so once", async () => {
    const notes: string[] = [];
    const { output } = await written([1, 2, 3, 4], { notes });
    expect(await listCheckpoints(output)).toEqual([1, 2, 3, 4]);
    expect(notes).toEqual([expect.stringMatching(/is due while the one before is still being written/)]);
  });
});

async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  const place = bytes.length - 5;
  bytes[place] = bytes[place]! ^ 4;
  await writeFile(path, bytes);
}
