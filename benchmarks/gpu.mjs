// What a GPU makes of this project, in one command, offline and in less than eight minutes:
//   npm run setup -- --libtorch cuda && node benchmarks/gpu.mjs
//   node benchmarks/gpu.mjs --device cpu --quick     the same on the CPU with small networks, to try the program itself
//   node benchmarks/gpu.mjs --parts numerics,steps   these alone, of numerics, golden, training, steps and processes
// It checks every operator against float64 on the device, runs the golden tests there (float32 without TF32, bfloat16
// beside Hugging Face's), trains the tiny recipe for 200 steps on made-up speech, and measures steps of pre-training and
// fine-tuning in bfloat16: time, memory, hours of audio an hour, and the share of the card's peak for matrix products.
// Where a Python with transformers is found (--python PATH, TRANSFORMERS_PYTHON, python3), the same steps run there in
// turn. Where there are two GPUs, two processes train with NCCL. A table goes to the terminal and everything to
// gpu-benchmark.json (--output FILE). Every measurement is a process of its own, so one that fails costs its row alone.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { BUDGET_SECONDS, Children } from "./gpu/children.mjs";
import { writeSpeech } from "./gpu/corpus.mjs";
import { stepFlops } from "./gpu/flops.mjs";
import { publishedPeak } from "./gpu/peaks.mjs";
import { CASES, recipeOptions } from "./gpu/steps.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CLI = join(ROOT, "packages/wav2vec2/bin/wav2vec2.js");
const HERE = join(ROOT, "benchmarks/gpu");

const { values: options } = parseArgs({
  options: {
    device: { type: "string", default: "cuda" },
    quick: { type: "boolean", default: false },
    python: { type: "string" },
    parts: { type: "string" },
    output: { type: "string", default: "gpu-benchmark.json" },
  },
});
const { device, quick } = options;
const PARTS = { numerics, golden, training, steps, processes };
const parts = options.parts?.split(",") ?? Object.keys(PARTS);
for (const part of parts)
  if (!Object.hasOwn(PARTS, part))
    throw new Error(`--parts must be of ${Object.keys(PARTS).join(", ")}, but is ${part}.`);
const folder = mkdtempSync(join(tmpdir(), "gpu-benchmark-"));
const children = new Children(BUDGET_SECONDS);
const rows = [];
const result = { date: new Date().toISOString(), device, quick, failed: [] };

try {
  await machine();
  for (const part of parts) await PARTS[part]();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
result.seconds = Math.round(children.elapsed);
writeFileSync(options.output, `${JSON.stringify(result, null, 2)}\n`);
print();
process.exitCode = result.failed.length > 0 ? 1 : 0;

/** Adds a row to the table; `ok: false` makes the command fail. */
function row(what, found, ok = true) {
  rows.push([what, found]);
  if (!ok) result.failed.push(what);
  console.error(`${what}: ${found}`);
}

async function machine() {
  const found = await children.json("the device", process.execPath, [
    join(HERE, "device.mjs"),
    device,
    quick,
  ]);
  if (found.error) throw new Error(`${found.error} npx wav2vec2 doctor says what is missing.`);
  const published = publishedPeak(found.name ?? "");
  result.machine = { ...found, publishedPeak: published, processor: cpus()[0]?.model };
  result.peak = published ?? found.matmulPeak;
  row(
    "device",
    `${found.name ?? result.machine.processor}, libtorch ${found.version}, CUDA ${found.cuda ?? "none"}`,
  );
  const share = published
    ? ` (${Math.round((100 * found.matmulPeak) / published)} % of the card's ${published})`
    : "";
  row("matrix products in bfloat16", `${found.matmulPeak.toPrecision(3)} TFLOP/s${share}`);
}

async function numerics() {
  const found = await children.json("numerics", process.execPath, [join(HERE, "numerics.mjs"), device]);
  result.numerics = found;
  if (found.error) return row("numerics check", found.error, false);
  const wrong = found.faults.map(({ operator, message }) => `\n  ${operator}: ${message}`).join("");
  row(
    "numerics check",
    `${found.checks} checks, ${found.faults.length} operators wrong${wrong}`,
    wrong === "",
  );
}

/** The project's own tests, whose models and tensors go to the device that the environment names. */
async function golden() {
  const tables = join(folder, "golden.json");
  const args = [
    join(ROOT, "node_modules/vitest/vitest.mjs"),
    "run",
    "--reporter=json",
    `--outputFile=${folder}/vitest.json`,
  ];
  const files = ["golden.test.ts", "golden-bfloat16.test.ts"].map(
    (name) => `packages/wav2vec2/test/model/${name}`,
  );
  const some = quick ? ["--testNamePattern", "ctc-00|pretraining-00|Hugging Face's bfloat16"] : [];
  const environment = { WAV2VEC2_TEST_DEVICE: device, EVIDENCE: tables, NVIDIA_TF32_OVERRIDE: "0" };
  const { error } = await children.run(
    "golden tests",
    process.execPath,
    [...args, ...some, ...files],
    environment,
  );
  const report = readJson(join(folder, "vitest.json"));
  if (report === undefined) return row("golden tests", error ?? "no result", false);
  const { numPassedTests: passed, numFailedTests: failed } = report;
  result.golden = { passed, failed, tables: readJson(tables) };
  const worst = (name, ...columns) => {
    const table = result.golden.tables?.find((one) => one.name === name);
    const cells = table?.rows.flatMap((cells) =>
      columns.map((column) => Number(cells[table.columns.indexOf(column)])),
    );
    return cells?.length ? Math.max(...cells).toExponential(1) : "unknown";
  };
  row(
    "golden tests, float32",
    `off by ${worst("float32", "outputs", "gradients")} at most (bound 1e-4, CPU 1e-5)`,
    failed === 0,
  );
  row(
    "golden tests, bfloat16",
    `off by ${worst("bfloat16", "beside float64")} from float64, Hugging Face's by ${worst("bfloat16", "Hugging Face's beside float64")}`,
  );
  row("golden tests", `${passed} passed, ${failed} failed`, failed === 0);
}

async function training() {
  const data = speech();
  const count = quick ? 30 : 200;
  const losses = await lossesOf("training", [CLI], data, join(folder, "tiny"), count);
  result.training = losses;
  if (losses.error) return row("tiny recipe", losses.error, false);
  row(
    "tiny recipe",
    `loss from ${losses.first.toFixed(2)} to ${losses.last.toFixed(2)} in ${count} steps`,
    losses.last < losses.first,
  );
}

function speech() {
  const data = join(folder, "speech");
  if (!existsSync(data)) writeSpeech(data, { train: quick ? 40 : 400, dev: 8 });
  return data;
}

/** Trains the tiny recipe by a command that ends in ours; first and last: means of a fifth of the loss's lines. */
async function lossesOf(what, command, data, output, count, environment = {}) {
  const recipe = { "max-steps": count, "logging-steps": 5, "schedule.warmup-steps": 20, "eval-steps": count };
  const config = ["--config", join(ROOT, "configs/pretrain-tiny.yaml"), "--data", data, "--output", output];
  const args = [...command, "pretrain", ...config, ...recipeOptions({ ...recipe, device })];
  const { error } = await children.run(what, process.execPath, args, environment);
  if (error) return { error };
  const lines = readFileSync(join(output, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const logged = lines.filter(({ loss }) => loss !== undefined);
  const fifth = Math.max(1, Math.floor(logged.length / 5));
  const mean = (part) => part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
  const speeds = logged.map((line) => line.audio_seconds_per_second).sort((a, b) => a - b);
  return {
    first: mean(logged.slice(0, fifth)),
    last: mean(logged.slice(-fifth)),
    speed: speeds[speeds.length >> 1],
  };
}

async function steps() {
  const python = await findPython();
  result.python = python;
  result.steps = [];
  for (const one of CASES(quick)) {
    const config = ["--config", join(ROOT, one.config), "--batches", String(one.batches), "--json"];
    const args = [CLI, "bench", ...config, ...recipeOptions({ ...one.recipe, device })];
    const ours = await children.json(`${one.name}`, process.execPath, args);
    const beside =
      python &&
      one.compared &&
      (await children.json(`${one.name}, Hugging Face`, python, huggingFaceArguments(one)));
    const measured = { ...one, ours, huggingFace: beside };
    result.steps.push(measured);
    row(one.name, ours.error ?? describeStep(measured, ours), !ours.error);
    if (beside) row("  Hugging Face", beside.error ?? describeStep(measured, beside, ours));
  }
}

function huggingFaceArguments({ task, shape, clips, samples, batches }) {
  const request = { task, shape, clips, samples, batches, device };
  return [join(HERE, "huggingface.py"), JSON.stringify(request)];
}

/** Both programs give stepSeconds and memoryMb, and audioSecondsPerSecond or what it follows from. */
function describeStep({ task, clips, samples, network, frozenEncoder }, measured, beside) {
  const { stepSeconds, memoryMb } = measured;
  const audio = (clips * samples) / 16000;
  const flops = stepFlops(network, { task, samples: Array(clips).fill(samples), frozenEncoder });
  measured.hoursAnHour = audio / stepSeconds;
  measured.shareOfPeak = flops / stepSeconds / (result.peak * 1e12);
  const faster = beside?.stepSeconds
    ? `; here ${(stepSeconds / beside.stepSeconds).toFixed(2)} times as fast`
    : "";
  return (
    `${Number((1000 * stepSeconds).toPrecision(3))} ms for ${audio.toFixed(0)} s, ${(memoryMb / 1000).toPrecision(3)} GB, ` +
    `${Math.round(measured.hoursAnHour).toLocaleString("en")} h an hour, ${(100 * measured.shareOfPeak).toPrecision(2)} % of the peak${faster}`
  );
}

/** @returns a Python that imports torch and transformers */
async function findPython() {
  for (const program of [options.python, process.env.TRANSFORMERS_PYTHON, "python3"]) {
    if (!program) continue;
    const { error } = await children.run("looking for transformers", program, [
      "-c",
      "import torch, transformers",
    ]);
    if (!error) return program;
  }
  row("Hugging Face", "not measured: no Python with torch and transformers (--python PATH)");
  return undefined;
}

async function processes() {
  const cards = result.machine.cards;
  if (device !== "cpu" && cards < 2) return row("two processes", `not measured: ${cards} GPU`);
  const data = speech();
  const command = [CLI, "launch", "--nproc-per-node", "2", "--"];
  const count = quick ? 10 : 60;
  const one = result.training ?? { error: "not measured" };
  const two = await lossesOf("two processes", command, data, join(folder, "two"), count);
  result.twoProcesses = two;
  if (two.error) return row("two processes", two.error, false);
  const group = device === "cpu" ? "Gloo" : "NCCL";
  const ratio = one.error ? "" : `, ${(two.speed / one.speed).toFixed(2)} times one process`;
  row(`two processes, ${group}`, `${two.speed.toPrecision(3)} s of audio a second${ratio}`);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function print() {
  console.log(
    `\n| ${quick ? "quick try" : "measured"} | ${result.date.slice(0, 10)}, ${result.seconds} s in all |\n|---|---|`,
  );
  for (const [what, found] of rows) console.log(`| ${what.trim()} | ${found.replaceAll("\n", " ")} |`);
  console.log(`\nEverything is in ${options.output}.`);
  if (result.failed.length > 0) console.log(`Failed: ${result.failed.join(", ")}.`);
}
