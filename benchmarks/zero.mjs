// What ZeRO's first stage saves and costs: the optimiser of BASE in several processes, with moments in each and divided.
//   node benchmarks/zero.mjs [--processes 2] [--rounds 10] [--preset base]
// Gradients are random: only the update, with the exchange of the weights, is measured, and what a checkpoint is collected in; each in
// turns, once with moments in each process and once divided, by wall clock (of the slowest process) and processor time (of all
// threads, mean of the processes). Memory is measured in processes of their own: that of moments, and what a process has more of
// behind updates than before the first.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ownPlace, runRanks } from "./ranks.mjs";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2" },
    rounds: { type: "string", default: "10" },
    preset: { type: "string", default: "base" },
    stages: { type: "string" },
  },
});
const place = ownPlace();
const rounds = Number(values.rounds);

if (place !== undefined) {
  await measure(place, values.stages.split(",").map(Number));
  process.exit(0);
}

const inTurns = await runRanks(Number(values.processes), () => commandFor("0,1"));
console.log(
  "| zero_stage | moments | memory of updates | weights sent | update | its processor time | collecting |",
);
console.log("|---|---|---|---|---|---|---|");
for (const stage of [0, 1]) {
  const alone = await runRanks(Number(values.processes), () => commandFor(stage));
  const mb = (name) =>
    `${[...new Set(alone.map(([each]) => (each[name] / 1e6).toFixed(0)))].join(", ")} MB a process`;
  const ranks = inTurns.map((stages) => stages[stage]);
  const slowest = (name) =>
    ranks[0][name].map((_, round) => Math.max(...ranks.map((rank) => rank[name][round])));
  const cpu = ranks.flatMap((rank) => rank.cpu);
  const cells = [
    mb("moments"),
    mb("memory"),
    mb("sent"),
    shown(slowest("wall")),
    shown(cpu),
    shown(slowest("collecting")),
  ];
  console.log(`| ${[stage, ...cells].join(" | ")} |`);
}

function commandFor(stages) {
  return [process.execPath, "--expose-gc", ...process.argv.slice(1), "--stages", String(stages)];
}

/** Median and range of milliseconds. */
function shown(list) {
  const [least, median, most] = [0, list.length >> 1, list.length - 1].map(
    (at) => list.toSorted((a, b) => a - b)[at],
  );
  return `${median.toFixed(0)} ms (${least.toFixed(0)} to ${most.toFixed(0)})`;
}

/** Prints what each process measured of each stage, in rank 0. */
async function measure({ rank, size, port }, stages) {
  const { full, keep, randn, setThreads } = await import("../packages/libtorch/dist/index.js");
  const dist = (path) => import(`../packages/wav2vec2/dist/${path}`);
  const { joinWorld } = await dist("distributed/join-world.js");
  const { PRESETS } = await dist("model/presets.js");
  const { Wav2Vec2ForPreTraining } = await dist("model/heads/pretraining/pretraining.js");
  const { CheckpointWriter } = await dist("training/checkpoints/checkpoint-writer.js");
  const { makeOptimizer } = await dist("training/loop/optimizer.js");
  const { divideParameters, OptimizerShards } = await dist("training/loop/optimizer-shards.js");
  const { resolveRecipe } = await dist("training/recipe/recipe.js");
  setThreads(1);
  const joined = await joinWorld(
    { rank, size, address: "127.0.0.1", port, hostsStore: rank === 0 },
    { device: "cpu", timeoutSeconds: 600 },
  );
  let sent = 0;
  const world = Object.assign(Object.create(joined), {
    broadcast: (message, root) => {
      if (root === rank) sent += 4 * message.numel;
      return joined.broadcast(message, root);
    },
  });
  const module = new Wav2Vec2ForPreTraining({ ...PRESETS[values.preset], layerdrop: 0 });
  const all = stages.map((stage) => {
    const recipe = resolveRecipe({
      task: "pretrain",
      data: { root: "unused" },
      distributed: { zero_stage: stage },
    });
    const owners = divideParameters(module, recipe, world);
    const optimizer = makeOptimizer(module, recipe, (each) => (owners.get(each) ?? rank) !== rank);
    return {
      optimizer,
      shards: new OptimizerShards(module, optimizer, owners, world),
      wall: [],
      cpu: [],
      collecting: [],
    };
  });
  await world.share(module.parameters());
  for (const each of module.parameters()) each.grad = keep(randn(each.shape));
  const skip = keep(full([], 0, { dtype: "bool" }));
  const resident = () => {
    globalThis.gc();
    return process.memoryUsage.rss();
  };
  const before = resident();
  for (let round = 0; round < 2 + rounds; round++) {
    for (const stage of all) {
      await world.gather(round); // all begin together
      sent = 0;
      const [began, cpu] = [performance.now(), process.cpuUsage()];
      await stage.shards.step(skip);
      const { user, system } = process.cpuUsage(cpu);
      stage.sent = sent;
      if (round < 2) continue; // memory is taken in the first
      stage.wall.push(performance.now() - began);
      stage.cpu.push((user + system) / 1000);
    }
  }
  const memory = resident() - before;
  const directory = mkdtempSync(join(tmpdir(), "zero-"));
  try {
    for (const stage of all) {
      const moments = Object.values(stage.optimizer.state().moments).flat();
      stage.moments = moments.reduce((sum, each) => sum + 4 * (each?.numel ?? 0), 0);
      const options = { keep: 1, step: 0, onNote: (text) => console.error(text) };
      const writer =
        rank === 0 ? new CheckpointWriter(directory, module, stage.optimizer, options) : undefined;
      await writer?.settled();
      for (let save = 1; save <= 3; save++) {
        await world.gather("checkpoint");
        const began = performance.now();
        await stage.shards.collect(save, writer);
        if (stages[all.indexOf(stage)] === 0) await writer?.take(save);
        stage.collecting.push(performance.now() - began);
      }
      await writer?.[Symbol.asyncDispose]();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const numbers = all.map(({ optimizer: _, shards: __, ...measured }) => ({ ...measured, memory }));
  const gathered = await world.gather(numbers);
  if (rank === 0) console.log(JSON.stringify(gathered));
}
