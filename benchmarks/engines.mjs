// What runs an exported recogniser, side by side in one run: libtorch, onnxruntime-node and onnxruntime-web (WebAssembly).
//   npm install --prefix DIR onnxruntime-node                   with ONNXRUNTIME_NODE_INSTALL=skip, for the processor alone
//   npm run build && node benchmarks/engines.mjs [--node DIR] [--models small,base] [--rounds 3] [--threads 2]
// Without DIR onnxruntime-node is left out; it must not be installed in the project, for there it would take onnxruntime-web's
// place. Each measurement is a process of its own: how long it takes from its start to a loaded recogniser, its time for 10 s of
// audio (the median of five passes behind one that does not count), its highest resident memory. The engines take turns, all
// once, then all again; ratios are to libtorch in the same round, and medians of these are told. Weights are random: times and
// bytes are those of trained ones of the size. What the engines say is compared.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeModel, recording } from "./server-load.mjs";

const SELF = fileURLToPath(import.meta.url);
const SECONDS = 10;
const PASSES = 5;

if (process.argv[2] === "--measure") await measure(...process.argv.slice(3));
else await compare();

/** In a process of its own. */
async function measure(engine, directory, threads) {
  // Of this process: the time that Node.js itself took to start counts too.
  const recognizer = await load(engine, directory, Number(threads));
  const loaded = performance.now();
  const samples = recording(SECONDS);
  const { text } = await recognizer.transcribe(samples);
  const times = [];
  const before = process.cpuUsage();
  for (let pass = 0; pass < PASSES; pass++) {
    const begin = performance.now();
    await recognizer.transcribe(samples);
    times.push(performance.now() - begin);
  }
  const { user, system } = process.cpuUsage(before);
  const peak = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1] / 1024;
  const result = {
    start: loaded,
    time: median(times),
    cpu: (user + system) / 1000 / PASSES,
    memory: peak,
    text,
  };
  console.log(JSON.stringify(result));
  process.exit(); // WebAssembly's threads would wait
}

async function load(engine, directory, threads) {
  const { loadOnnxRecognizer, loadRecognizer } = await import("wav2vec2/recognition");
  if (engine !== "libtorch")
    return await loadOnnxRecognizer(join(directory, "onnx"), { threads, beamWidth: 1 });
  const { setThreads } = await import("@wav2vec2/libtorch");
  setThreads(threads);
  return await loadRecognizer(join(directory, "torch"), { device: "cpu", beamWidth: 1 });
}

async function compare() {
  const { values } = parseArgs({
    options: {
      models: { type: "string", default: "small,base" },
      node: { type: "string" },
      rounds: { type: "string", default: "3" },
      threads: { type: "string", default: "2" },
    },
  });
  const engines = ["libtorch", ...(values.node ? ["node"] : []), "web"];
  const measureOne = (engine, directory) => run(engine, directory, values);
  const { exportOnnx } = await import("wav2vec2");
  console.log(
    "| model | engine | start s | 10 s of audio, s | processor s | memory MB | to libtorch: start | time | memory | text |",
  );
  console.log(`|${"---|".repeat(10)}`);
  for (const model of values.models.split(",")) {
    const directory = mkdtempSync(join(tmpdir(), "engines-"));
    try {
      await makeModel(join(directory, "torch"), model);
      await exportOnnx(join(directory, "torch"), join(directory, "onnx"), { longest: 5 });
      const rounds = [];
      for (let round = 0; round < Number(values.rounds); round++)
        rounds.push(Object.fromEntries(engines.map((name) => [name, measureOne(name, directory)])));
      tell(model, engines, rounds);
    } finally {
      rmSync(directory, { recursive: true });
    }
  }
  console.log(
    `medians of ${values.rounds} rounds, ${values.threads} threads; load ${loadavg()[0].toFixed(1)}`,
  );
}

function run(engine, directory, { threads, node }) {
  // Where both packages are found, onnxruntime-node is taken.
  const place = engine === "node" ? { NODE_PATH: join(resolve(node), "node_modules") } : {};
  const printed = execFileSync(process.execPath, [SELF, "--measure", engine, directory, threads], {
    encoding: "utf8",
    env: { ...process.env, ...place },
  });
  return JSON.parse(printed);
}

function tell(model, engines, rounds) {
  for (const engine of engines) {
    const all = rounds.map((round) => round[engine]);
    const of = (name) => median(all.map((result) => result[name]));
    const ratio = (name) =>
      median(rounds.map((round) => round[engine][name] / round.libtorch[name])).toFixed(2);
    const isSame = all.every(({ text }, i) => text === rounds[i].libtorch.text);
    console.log(
      `| ${model} | ${engine} | ${(of("start") / 1000).toFixed(2)} | ${(of("time") / 1000).toFixed(2)} | ${(of("cpu") / 1000).toFixed(2)} | ` +
        `${of("memory").toFixed(0)} | ${ratio("start")} | ${ratio("time")} | ${ratio("memory")} | ${isSame ? "the same" : "another"} |`,
    );
  }
}

function median(all) {
  return all.toSorted((a, b) => a - b)[all.length >> 1];
}
