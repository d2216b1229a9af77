// What training waits for when a checkpoint is saved, beside a step of BASE pre-training (95 M parameters, 1.1 GB with the
// optimiser's moments) on 4 clips of 5 s in the same run:
//   npm run build && node benchmarks/checkpoint.mjs [--steps N] [--saves N] [--directory DIR] [--threads N]
// Steps without saving come first; then each save is followed by a step while the thread writes. "stall" is the time that
// the loop stands still for a copy of weights and moments; processor time says the same of a machine that others use too.
// A checkpoint as files written one after the other by the
// training thread, flushed but without hashes, as a loop without a thread does it, closes the table.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { manualSeed, optim, saveTensors, scope, setThreads } from "@wav2vec2/libtorch";

const dist = (path) => import(new URL(`../packages/wav2vec2/dist/${path}`, import.meta.url));
const { CheckpointWriter } = await dist("training/checkpoints/checkpoint-writer.js");
const { findCheckpoint, loadCheckpoint, momentsByName } = await dist("training/checkpoints/checkpoint.js");
const { PRESETS } = await dist("model/presets.js");
const { Wav2Vec2ForPreTraining } = await dist("model/heads/pretraining/pretraining.js");
const { collatePreTraining } = await dist("data/batches/pretraining-collator.js");
const { pretrainingSetup } = await dist("training/pretraining/pretraining-model.js");
const { preTrainingLoss } = await dist("training/pretraining/pretraining-metrics.js");
const { resolveRecipe } = await dist("training/recipe/recipe.js");
const { Random } = await dist("data/random.js");

const { values } = parseArgs({
  options: {
    steps: { type: "string", default: "4" },
    saves: { type: "string", default: "4" },
    directory: { type: "string", default: tmpdir() },
    threads: { type: "string" },
  },
});
if (values.threads) setThreads(Number(values.threads));
manualSeed(1);
const SECONDS = 5;
const CLIPS = 4;
const random = new Random(1, "benchmark");
const recipe = resolveRecipe({ task: "pretrain", data: { root: "none" }, max_steps: 1 });
const { config, collation } = pretrainingSetup(recipe, PRESETS.base);
const model = new Wav2Vec2ForPreTraining(config);
model.train();
const optimizer = new optim.AdamW([...model.parameters()], { learningRate: 1e-5 });
const clips = Array.from({ length: CLIPS }, (_, i) => ({
  id: String(i),
  samples: Float32Array.from({ length: SECONDS * 16000 }, () => random.uniform() - 0.5),
}));

/** Seconds that work takes, and those of all processors. */
async function timed(work) {
  const before = process.cpuUsage();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, cpu: (user + system) / 1e6 };
}

/** One update. */
async function step() {
  scope(() => {
    const { loss } = preTrainingLoss(
      model,
      collatePreTraining(clips, collation, () => random.uniform()),
    );
    loss.backward();
  });
  optim.clipGradNorm(optimizer.parameters, 1);
  optimizer.step();
  optimizer.zeroGrad();
  await turn();
}

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
const resident = () => process.memoryUsage.rss() / 1e6;
const directory = mkdtempSync(join(values.directory, "checkpoint-benchmark-"));
try {
  await step();
  const steps = [];
  for (let i = 0; i < Number(values.steps); i++) steps.push(await timed(step));
  const usual = median(steps.map(({ seconds }) => seconds));
  const usualCpu = median(steps.map(({ cpu }) => cpu));
  const millions = (model.parameterCount() / 1e6).toFixed(1);
  console.log(
    `a step of ${millions} M parameters, ${CLIPS} x ${SECONDS} s: ${usual.toFixed(2)} s, processors ${usualCpu.toFixed(1)} s (medians of ${steps.length})`,
  );
  const before = resident();
  const notes = [];
  const options = { keep: 1, step: 0, onNote: (text) => notes.push(text) };
  const writer = new CheckpointWriter(directory, model, optimizer, options);
  await writer.settled();
  console.log(`memory for the copy: ${(resident() - before).toFixed(0)} MB`);
  console.log(
    "| save | stall | of a step | its processor time | of a step's | the step beside the writing |\n|---|---|---|---|---|---|",
  );
  for (let i = 1; i <= Number(values.saves); i++) {
    const progress = { step: i, position: { epoch: 0, batch: i }, data: "noise", seconds: 0, evaluated: 0 };
    const { seconds: stall, cpu } = await timed(() => writer.save(progress));
    const beside = await timed(step);
    await writer.settled();
    const share = (part, whole) => `${((100 * part) / whole).toFixed(1)} %`;
    const ms = (seconds) => `${(1000 * seconds).toFixed(0)} ms`;
    const cells = [
      i,
      ms(stall),
      share(stall, usual),
      ms(cpu),
      share(cpu, usualCpu),
      `${beside.seconds.toFixed(2)} s`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
  await writer[Symbol.asyncDispose]();
  if (notes.length > 0) throw new Error(notes.join("\n"));

  let began = performance.now();
  await saveTensors(join(directory, "model.safetensors"), model.namedParameters());
  await saveTensors(join(directory, "optimizer.safetensors"), momentsByName(model, optimizer));
  console.log(`written by the training thread: ${((performance.now() - began) / 1000).toFixed(2)} s`);
  began = performance.now();
  const newest = await findCheckpoint(directory, console.log);
  const checked = (performance.now() - began) / 1000;
  began = performance.now();
  await loadCheckpoint(directory, newest, model, optimizer);
  const loaded = (performance.now() - began) / 1000;
  console.log(`on resume: hashes checked in ${checked.toFixed(2)} s, loaded in ${loaded.toFixed(2)} s`);
} finally {
  rmSync(directory, { recursive: true });
}
