// How long a checkpoint of BASE size (95 million float32 weights, 378 MB) takes to load from the page cache, and how
// much resident memory grows at most meanwhile:
//   node benchmarks/load.mjs [PROCESSES] [PYTHON]
// Each measurement is a process of its own, from modules imported to a model in eval mode. The programs take turns, and
// run twice each time, of which the second run counts: a virtual machine's host takes unused memory back within
// seconds, and giving it out again can take longer than all the rest. What that much fresh memory costs without any
// loading is measured too. With PYTHON, one that has torch and transformers, transformers' `from_pretrained` is
// measured beside it. That maps the file and reads nothing yet, so the time until every weight was read once is told.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
const MB = 1e6;

const [task, ...rest] = process.argv.slice(2);
if (task === "--load") await load(rest[0]);
else if (task === "--touch") await touch(Number(rest[0]));
else await compare(Number(task ?? 7), rest[0]);

async function load(path) {
  const { loadState, nn, scope, zeros } = await import("@wav2vec2/libtorch");
  const { createConfig, Wav2Vec2ForCTC } = await import("wav2vec2");
  zeros([1]);
  const before = resident("VmRSS");
  resetPeak();
  const start = performance.now();
  const model = nn.init.deferred(() => new Wav2Vec2ForCTC(createConfig()));
  const { missing, unexpected, misshaped } = await loadState(model, path);
  model.eval();
  const seconds = (performance.now() - start) / 1000;
  if (missing.length + unexpected.length + misshaped.length > 0)
    throw new Error("the checkpoint does not fit");
  for (const parameter of model.parameters()) scope(() => parameter.sum().item());
  const read = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, read, growth: resident("VmHWM") - before }));
}

/** Fresh memory alone. */
async function touch(bytes) {
  const { empty, zeros } = await import("@wav2vec2/libtorch");
  zeros([1]);
  const before = resident("VmRSS");
  const start = performance.now();
  empty([bytes / 4]).fill_(0);
  const seconds = (performance.now() - start) / 1000;
  console.log(JSON.stringify({ seconds, read: seconds, growth: resident("VmHWM") - before }));
}

/** A line of /proc/self/status, in bytes. */
function resident(name) {
  const [, kilobytes] = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync("/proc/self/status", "utf8"));
  return Number(kilobytes) * 1024;
}

/** The peak counts from here on (proc(5), clear_refs). */
function resetPeak() {
  writeFileSync("/proc/self/clear_refs", "5");
}

async function compare(processes, python) {
  const directory = mkdtempSync(join(tmpdir(), "wav2vec2-load-"));
  try {
    const path = await writeCheckpoint(directory);
    const { size } = statSync(path);
    console.log(`${path}: ${(size / MB).toFixed(0)} MB`);
    const programs = {
      "memory alone": () => run(process.execPath, [SELF, "--touch", Math.ceil(size / 4) * 4]),
      wav2vec2: () => run(process.execPath, [SELF, "--load", path]),
    };
    if (python) programs.transformers = () => run(python, [join(SELF, "../load.py"), directory]);
    const results = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
    for (let i = 0; i < processes; i++) {
      for (const [name, program] of Object.entries(programs)) {
        program();
        results[name].push(program());
      }
    }
    for (const [name, runs] of Object.entries(results)) report(name, runs, size);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function writeCheckpoint(directory) {
  const { manualSeed, saveTensors } = await import("@wav2vec2/libtorch");
  const { createConfig, Wav2Vec2ForCTC, writeConfig } = await import("wav2vec2");
  manualSeed(1);
  const model = new Wav2Vec2ForCTC(createConfig());
  const path = join(directory, "model.safetensors");
  await saveTensors(path, model.namedParameters(), { format: "pt" });
  await writeConfig(directory, model.config, ["Wav2Vec2ForCTC"]);
  return path;
}

function run(program, args) {
  return JSON.parse(execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
}

function report(name, runs, size) {
  const sorted = (key) => runs.map((result) => result[key]).sort((a, b) => a - b);
  const median = (values) => values[Math.floor(values.length / 2)];
  const [seconds, read, growth] = [sorted("seconds"), sorted("read"), sorted("growth")];
  console.log(
    `${name.padEnd(26)} ${median(seconds).toFixed(3)} s (${seconds[0].toFixed(3)} to ${seconds.at(-1).toFixed(3)}), ` +
      `all read after ${median(read).toFixed(3)} s, grows by ${(median(growth) / MB).toFixed(0)} MB, ` +
      `${(median(growth) / size).toFixed(2)} times the file (at most ${(growth.at(-1) / size).toFixed(2)})`,
  );
}
