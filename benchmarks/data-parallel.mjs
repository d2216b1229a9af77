// Several processes beside one, on this machine: are the losses equal, and how much of the speed is left?
//   node benchmarks/data-parallel.mjs equality --data DIR [--steps 200]
//   node benchmarks/data-parallel.mjs throughput --data DIR [--rounds 3] [--steps 60] [--base-steps 6]
// `equality` trains the tiny recipes as 1 process with 4 batches a step, 2 with 2 and 4 with 1, and compares the losses step by
// step, and the WER of fine-tuning; beside them one process with 2 threads, which rounds otherwise too. `throughput` compares two processes of one thread with one process of two, in turns.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { encodeFlac, Random } from "wav2vec2";

const RATE = 16_000;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string" },
    steps: { type: "string" },
    "base-steps": { type: "string", default: "6" },
    rounds: { type: "string", default: "3" },
  },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const program = join(root, "packages/wav2vec2/bin/wav2vec2.js");
const home = mkdtempSync(join(tmpdir(), "data-parallel-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
let runs = 0;

/** Trains and gives the lines of metrics. */
async function train({ task, processes, accumulation, threads, options, env = {} }) {
  const output = join(home, `run-${runs++}`);
  const own = ["--gradient-accumulation", accumulation, "--threads", threads, "--output", output].map(String);
  const command = [task, ...options, ...own];
  const launched =
    processes > 1 ? ["launch", "--nproc-per-node", String(processes), "--", ...command] : command;
  const child = spawn(process.execPath, [program, ...launched], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  let errors = "";
  child.stderr.on("data", (data) => {
    errors += data;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  if (code !== 0)
    throw new Error(`wav2vec2 ${launched.join(" ")} must end well, but ended with ${code}:\n${errors}`);
  return readFileSync(join(output, "metrics.jsonl"), "utf8").trim().split("\n").map(JSON.parse);
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const range = (list, digits) =>
  `${median(list).toFixed(digits)} (${Math.min(...list).toFixed(digits)} to ${Math.max(...list).toFixed(digits)})`;

async function equality(data, steps) {
  const common = ["--data", data, "--max-steps", steps, "--logging-steps", "1"];
  const rare = ["--eval-steps", steps, "--save-steps", steps, "--data.batch-seconds", "4"];
  const chance = ["--model.layerdrop", "0.1", "--model.hidden-dropout", "0.1"];
  const marks = [10, 50, 100, Number(steps)].filter(
    (mark, place, all) => mark <= Number(steps) && all.indexOf(mark) === place,
  );
  console.log(
    `| task | processes x batches, threads | largest relative difference of a loss up to step ${marks.join(" | ")} | validation |`,
  );
  console.log(`|---|---|${"---|".repeat(marks.length)}---|`);
  for (const task of ["pretrain", "finetune"]) {
    const options = ["--config", `configs/${task}-tiny.yaml`, ...common, ...rare, ...chance].map(String);
    for (const group of [
      [
        [1, 2, 1],
        [2, 1, 1],
      ],
      [
        [1, 4, 1],
        [1, 4, 2], // how far rounding alone leads
        [2, 2, 1],
        [4, 1, 1],
      ],
    ]) {
      let first;
      for (const [processes, accumulation, threads] of group) {
        const lines = await train({ task, processes, accumulation, threads, options });
        const losses = lines.flatMap(({ loss }) => loss ?? []);
        first ??= losses;
        if (losses.length !== first.length)
          throw new Error(`${losses.length} losses instead of ${first.length}`);
        const differences = losses.map((loss, step) => Math.abs(loss / first[step] - 1));
        const largest = marks.map((mark) => Math.max(...differences.slice(0, mark)));
        const held = lines.findLast((line) => "eval/wer" in line || "eval/loss" in line);
        const validation =
          held["eval/wer"] === undefined
            ? `loss ${held["eval/loss"].toFixed(4)}`
            : `WER ${(100 * held["eval/wer"]).toFixed(2)} %`;
        const shown = largest.map((value) => (value === 0 ? "0" : value.toExponential(1)));
        console.log(
          `| ${task} | ${processes} x ${accumulation}, ${threads} | ${shown.join(" | ")} | ${validation} |`,
        );
      }
    }
  }
}

/** 16 clips of noise, 5 s each, in LibriSpeech's layout. */
function noise() {
  const data = join(home, "noise");
  const random = new Random(1, "noise");
  for (const [split, count] of [
    ["train", 16],
    ["dev", 2],
  ]) {
    const folder = join(data, split, "1", "1");
    mkdirSync(folder, { recursive: true });
    const ids = Array.from({ length: count }, (_, clip) => `1-1-${String(clip).padStart(4, "0")}`);
    for (const id of ids) {
      const samples = Float32Array.from({ length: 5 * RATE }, () => 2 * random.uniform() - 1);
      writeFileSync(join(folder, `${id}.flac`), encodeFlac(samples, RATE));
    }
    writeFileSync(join(folder, "1-1.trans.txt"), ids.map((id) => `${id} NOISE\n`).join(""));
  }
  return data;
}

async function throughput(data, steps, baseSteps, rounds) {
  const many = String(1e9);
  const tiny = [
    "--config",
    "configs/pretrain-tiny.yaml",
    "--data",
    data,
    "--max-steps",
    steps,
    "--logging-steps",
    10,
  ];
  const base = [
    "--config",
    "configs/pretrain-librispeech-base.yaml",
    "--data",
    noise(),
    "--max-steps",
    baseSteps,
  ];
  const small = [
    "--precision",
    "float32",
    "--data.batch-seconds",
    10,
    "--logging-steps",
    1,
    "--schedule.warmup-steps",
    1,
  ];
  const splits = ["--data.train-split", "train", "--data.eval-split", "dev"];
  const rare = ["--eval-steps", many, "--save-steps", many, "--max-minutes", 30];
  const recipes = [
    ["tiny recipe", [...tiny, ...rare], 2],
    ["BASE, 4 x 5 s a step", [...base, ...small, ...splits, ...rare, "--model.layerdrop", 0], 1],
  ];
  console.log("| recipe | one process, two threads | two processes of one thread | share of the speed |");
  console.log("|---|---|---|---|");
  for (const [name, options, skip] of recipes) {
    const speeds = { one: [], two: [] };
    for (let round = 0; round < rounds; round++) {
      for (const [kind, run] of [
        ["one", { processes: 1, accumulation: 2, threads: 2 }],
        ["two", { processes: 2, accumulation: 1, threads: 1 }],
      ]) {
        const lines = await train({ task: "pretrain", ...run, options: options.map(String) });
        const own = lines.flatMap((line) => line.audio_seconds_per_second ?? []).slice(skip); // memory is taken in the first
        speeds[kind].push(median(own));
      }
    }
    const shares = speeds.two.map((speed, round) => speed / speeds.one[round]);
    console.log(
      `| ${name} | ${range(speeds.one, 1)} s of audio a second | ${range(speeds.two, 1)} | ${range(
        shares.map((share) => 100 * share),
        0,
      )} % |`,
    );
  }
}

const [mode] = positionals;
if (mode !== "equality" && mode !== "throughput")
  throw new Error(
    `The first word must be equality or throughput, but is ${mode ?? "missing"}. ` +
      "Run: node benchmarks/data-parallel.mjs throughput --data DIR",
  );
if (!values.data)
  throw new Error("--data must be given: a corpus in LibriSpeech's layout with splits train and dev.");
if (mode === "equality") await equality(values.data, values.steps ?? "200");
else await throughput(values.data, values.steps ?? "60", values["base-steps"], Number(values.rounds));
