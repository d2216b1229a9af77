// What ZeRO's first stage saves and costs: the optimiser of BASE in several processes, with moments in each and divided.
//   node benchmarks/zero.mjs [--processes 2] [--rounds 10] [--preset base]
// Gradients are random: only the update and the exchange of the weights are measured, and what a checkpoint is collected in.
// Memory is that of moments, and what the process has more of at the end than before its first update.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "2" },
    rounds: { type: "string", default: "10" },
    preset: { type: "string", default: "base" },
    child: { type: "string" },
    stage: { type: "string" },
    port: { type: "string", default: "29873" },
  },
});
const own = fileURLToPath(import.meta.url);
const size = Number(values.processes);
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

if (values.child !== undefined) {
  await measure(Number(values.child), Number(values.stage));
  process.exit(0);
}

console.log(
  "| zero_stage | moments of a process | memory that updates took | update | all rounds | weights that a process sends | collecting for a checkpoint |",
);
console.log("|---|---|---|---|---|---|---|");
for (const stage of [0, 1]) {
  const ranks = await Promise.all(Array.from({ length: size }, (_, rank) => start(rank, stage)));
  const of = (name) => ranks.map((rank) => rank[name]);
  const mb = (list) => `${[...new Set(list.map((bytes) => (bytes / 1e6).toFixed(0)))].join(", ")} MB`;
  const times = of("updates").reduce((all, list) => all.map((time, round) => Math.max(time, list[round])));
  const ms = (time) => `${time.toFixed(0)} ms`;
  const cells = [
    stage,
    mb(of("moments")),
    mb(of("memory")),
    ms(median(times)),
    `${Math.min(...times).toFixed(0)} to ${ms(Math.max(...times))}`,
    mb(of("sent")),
    ms(Math.max(...of("collecting"))),
  ];
  console.log(`| ${cells.join(" | ")} |`);
}

/** One process's numbers. */
async function start(rank, stage) {
  const args = ["--child", rank, "--stage", stage, "--processes", size, "--rounds", values.rounds];
  const all = [...args, "--preset", values.preset, "--port", values.port].map(String);
  const child = spawn(process.execPath, ["--expose-gc", own, ...all], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (data) => {
    output += data;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0) throw new Error(`rank ${rank} must end well, but ended with ${code}.`);
  return JSON.parse(output);
}

async function measure(rank, stage) {
  const { full, keep, randn, setThreads } = await import("../packages/libtorch/dist/index.js");
  const dist = (path) => import(`../packages/wav2vec2/dist/${path}`);
  const { joinWorld } = await dist("distributed/join-world.js");
  const { PRESETS } = await dist("model/presets.js");
  const { Wav2Vec2ForPreTraining } = await dist("model/pretraining.js");
  const { CheckpointWriter } = await dist("training/checkpoints/checkpoint-writer.js");
  const { makeOptimizer } = await dist("training/loop/optimizer.js");
  const { divideParameters, OptimizerShards } = await dist("training/loop/optimizer-shards.js");
  const { resolveRecipe } = await dist("training/recipe/recipe.js");
  setThreads(1);
  const place = { rank, size, address: "127.0.0.1", port: Number(values.port), hostsStore: rank === 0 };
  const joined = await joinWorld(
    { ...place, localRank: rank, localSize: size, nodeRank: 0, nodes: 1, attempt: 0, runId: "zero" },
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
  const recipe = resolveRecipe({
    task: "pretrain",
    data: { root: "unused" },
    distributed: { zero_stage: stage },
  });
  const owners = divideParameters(module, recipe, world);
  const optimizer = makeOptimizer(module, recipe, (each) => (owners.get(each) ?? rank) !== rank);
  const shards = new OptimizerShards(module, optimizer, owners, world);
  await shards.share();
  for (const each of module.parameters()) each.grad = keep(randn(each.shape));
  const skip = keep(full([], 0, { dtype: "bool" }));
  const resident = () => {
    globalThis.gc();
    return process.memoryUsage.rss();
  };
  const before = resident();
  const updates = [];
  for (let round = 0; round < 2 + Number(values.rounds); round++) {
    await world.gather(round); // all begin together
    sent = 0;
    const began = performance.now();
    await shards.step(skip);
    if (round >= 2) updates.push(performance.now() - began); // memory is taken in the first
  }
  const { firstMoments, secondMoments } = optimizer.state();
  const moments = [...firstMoments, ...secondMoments].reduce((sum, each) => sum + 4 * (each?.numel ?? 0), 0);
  const numbers = { moments, memory: resident() - before, updates, sent };
  const directory = mkdtempSync(join(tmpdir(), "zero-"));
  try {
    const options = { keep: 1, step: 0, onNote: (text) => console.error(text) };
    const writer = rank === 0 ? new CheckpointWriter(directory, module, optimizer, options) : undefined;
    await writer?.settled();
    await world.gather("checkpoint");
    const began = performance.now();
    await shards.collect(1, writer);
    if (stage === 0) await writer?.take(1);
    console.log(JSON.stringify({ ...numbers, collecting: performance.now() - began }));
  } finally {
    rmSync(directory, { recursive: true });
  }
  await world.gather("end");
}
