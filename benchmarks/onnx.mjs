// What smaller exports are worth: size, time beside float32 in the same run, largest difference, and word error rate:
//   npm install --no-save onnxruntime-node && node benchmarks/onnx.mjs [--rounds N] [--threads N] [--python PATH] [--profile]
//     [--model DIR --data DATA --split NAME]
// A network of BASE's size with random weights, a clip of 10 s of noise, the sessions in turns; of each the median and the
// least processor time. --python, one with torch, transformers, onnx, onnxscript and onnxruntime, adds what torch.onnx writes and
// onnxruntime.quantization.quantize_dynamic makes of it (benchmarks/side-by-side/export_onnx.py, reference/quantize_onnx.py).
// --profile says how long operators take in one thread. --model measures a trained one's word error rates instead.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { exportOnnx } from "wav2vec2";
import { writeNetwork } from "./side-by-side/networks.mjs";

const DTYPES = ["float32", "float16", "int8", "q4"];
const SAMPLES = 160_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    threads: { type: "string", default: "2" },
    python: { type: "string" },
    profile: { type: "boolean", default: false },
    model: { type: "string" },
    data: { type: "string" },
    split: { type: "string" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "onnx-benchmark-"));
try {
  if (options.model) await measureErrors();
  else await measureTimes();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureErrors() {
  const { model, data, split } = options;
  const dtype = DTYPES;
  const networks = await exportOnnx(model, join(folder, "onnx"), {
    dtype,
    data,
    split,
    maxWerLoss: 100,
    longest: 10,
  });
  print(["dtype", "bytes", "WER %", "float32's", "frames changed %", "largest difference"]);
  for (const { dtype: name, bytes, accuracy } of networks)
    if (accuracy)
      print([
        name,
        bytes,
        percent(accuracy.wer),
        percent(accuracy.wer32),
        percent(accuracy.changedFrames),
        accuracy.difference.toPrecision(2),
      ]);
}

async function measureTimes() {
  const ort = createRequire(import.meta.url)("onnxruntime-node");
  const source = await writeNetwork(folder, "base");
  const exported = join(folder, "onnx");
  await exportOnnx(source, exported, { dtype: DTYPES, longest: 1 });
  const files = Object.fromEntries(
    ["model", "model_fp16", "model_int8", "model_q4"].map((name, i) => [
      DTYPES[i],
      join(exported, "onnx", `${name}.onnx`),
    ]),
  );
  if (options.python) Object.assign(files, torchFiles(source));
  const sessions = {};
  for (const [name, file] of Object.entries(files))
    sessions[name] = await ort.InferenceSession.create(file, {
      intraOpNumThreads: Number(options.threads),
      logSeverityLevel: 3,
    });
  const samples = Float32Array.from({ length: SAMPLES }, () => (Math.random() - 0.5) * Math.sqrt(12));
  const input = { input_values: new ort.Tensor("float32", samples, [1, SAMPLES]) };
  const times = Object.fromEntries(Object.keys(files).map((name) => [name, { wall: [], cpu: [] }]));
  const logits = {};
  for (let round = 0; round <= Number(options.rounds); round++)
    for (const [name, session] of Object.entries(sessions)) {
      const began = process.cpuUsage();
      const begin = performance.now();
      logits[name] = (await session.run(input)).logits.data;
      const wall = performance.now() - begin;
      const { user, system } = process.cpuUsage(began);
      if (round === 0) continue; // the first makes room
      times[name].wall.push(wall);
      times[name].cpu.push((user + system) / 1000);
    }
  print([
    "file",
    "MB",
    "median ms",
    "times as fast",
    "least CPU ms",
    "times as little",
    "largest difference",
  ]);
  const { wall, cpu } = times.float32;
  for (const [name, own] of Object.entries(times))
    print([
      name,
      (sizeOf(files[name]) / 1e6).toFixed(0),
      median(own.wall).toFixed(0),
      (median(wall) / median(own.wall)).toFixed(2),
      Math.min(...own.cpu).toFixed(0),
      (Math.min(...cpu) / Math.min(...own.cpu)).toFixed(2),
      largestDifference(logits.float32, logits[name]).toPrecision(2),
    ]);
  for (const session of Object.values(sessions)) await session.release();
  if (options.profile) for (const name of ["float32", "int8"]) await profile(ort, name, files[name], input);
}

/** What Python's programs make of the same network. */
function torchFiles(source) {
  const script = (path, ...args) =>
    execFileSync(options.python, [fileURLToPath(new URL(path, import.meta.url)), ...args], {
      stdio: "ignore",
    });
  const files = {
    "torch.onnx": join(folder, "torch.onnx"),
    "torch.onnx, quantize_dynamic": join(folder, "torch-int8.onnx"),
  };
  script("side-by-side/export_onnx.py", source, files["torch.onnx"]);
  script("../reference/quantize_onnx.py", ...Object.values(files));
  return files;
}

async function profile(ort, name, file, input) {
  const prefix = join(folder, `profile-${name}`);
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    enableProfiling: true,
    profileFilePrefix: prefix,
  });
  for (let run = 0; run < 3; run++) await session.run(input);
  session.endProfiling();
  await session.release();
  const written = readdirSync(folder).find((entry) => entry.startsWith(`profile-${name}`));
  const byOperator = new Map();
  for (const event of JSON.parse(readFileSync(join(folder, written), "utf8"))) {
    if (!event.name?.endsWith("_kernel_time")) continue;
    const operator = event.args.op_name;
    byOperator.set(operator, [...(byOperator.get(operator) ?? []), event.dur / 1000]);
  }
  const rows = Array.from(byOperator, ([operator, durations]) => {
    const each = durations.length / 3;
    const runs = [0, 1, 2].map((run) => sum(durations.slice(run * each, (run + 1) * each)));
    return [operator, each, Math.min(...runs)];
  }).sort((a, b) => b[2] - a[2]);
  const total = sum(rows.map(([, , time]) => time));
  console.log(`\n${name}, one thread: ${total.toFixed(0)} ms`);
  for (const [operator, count, time] of rows.slice(0, 8))
    print([operator, count, time.toFixed(0), `${((100 * time) / total).toFixed(0)} %`]);
}

function sizeOf(file) {
  const outside = statSync(`${file}.data`, { throwIfNoEntry: false });
  return statSync(file).size + (outside?.size ?? 0);
}

function largestDifference(one, other) {
  return one.reduce((largest, value, i) => Math.max(largest, Math.abs(value - other[i])), 0);
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}

function percent(share) {
  return (100 * share).toFixed(2);
}

function print(cells) {
  console.log(cells.join("\t"));
}
