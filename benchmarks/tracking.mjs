// What tracking costs a training whose steps take 50 ms and are all logged:
//   npm run build && node benchmarks/tracking.mjs [--services wandb,tensorboard,mlflow,trackio] [--rounds N] [--steps N] [--system-seconds N]
// A loop of fixed work runs in turns with everything on (terminal, files of the run directory, services in their threads,
// readings of the machine) and with nothing. Default: the services that this version has. W&B writes offline, MLflow and Trackio
// talk to a server of this program that takes everything, in a process of its own.
// "in the loop" is the time that the training thread spends in the tracker and in turns of the event loop, on Linux without
// the time that it waited for a processor, so that what else the machine does hardly shows; "step" is a whole one, in which
// threads can take processors from the work. "processors" is what all threads of the process used meanwhile.
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { scope, setThreads, tensor } from "@wav2vec2/libtorch";

const at = (path) => new URL(`../packages/wav2vec2/dist/${path}`, import.meta.url);
const STEP_MS = 50;
const MOST_SHARE = 0.01;

if (process.argv[2] === "serve") await serve();
else await measure();

/** Answers what services ask as if all were well, and forgets it. */
async function serve() {
  let runs = 0;
  const answers = {
    "experiments/get-by-name": () => ({ experiment: { experiment_id: "1", name: "benchmark" } }),
    "experiments/create": () => ({ experiment_id: "1" }),
    "runs/create": () => {
      const id = String(++runs);
      return {
        run: { info: { run_id: id, run_uuid: id, experiment_id: "1", artifact_uri: "mlflow-artifacts:/1" } },
      };
    },
    "runs/get": () => ({ run: { info: { run_id: String(runs), experiment_id: "1" }, data: {} } }),
  };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const path = Object.keys(answers).find((name) => request.url.includes(name));
      response.setHeader("content-type", "application/json").end(JSON.stringify(path ? answers[path]() : {}));
    });
  });
  server.listen(0, "127.0.0.1", () => process.send(server.address().port));
  process.on("disconnect", () => process.exit());
}

async function measure() {
  const all = ["wandb", "tensorboard", "mlflow", "trackio"];
  const { values } = parseArgs({
    options: {
      services: { type: "string" },
      rounds: { type: "string", default: "6" },
      steps: { type: "string", default: "100" },
      "system-seconds": { type: "string", default: "1" },
    },
  });
  const there = all.filter((name) => existsSync(at(`tracking/sinks/${name}/${name}.js`)));
  const services =
    values.services === undefined ? there : values.services.split(",").filter((name) => name !== "");
  const directory = mkdtempSync(join(tmpdir(), "tracking-"));
  const server = fork(fileURLToPath(import.meta.url), ["serve"]);
  const port = await new Promise((resolve) => server.once("message", resolve));
  Object.assign(process.env, {
    WANDB_MODE: "offline",
    MLFLOW_TRACKING_URI: `http://127.0.0.1:${port}`,
    TRACKIO_SERVER_URL: `http://127.0.0.1:${port}`,
    TRACKIO_WRITE_TOKEN: "token",
  });
  const options = {
    directory,
    services,
    seconds: Number(values["system-seconds"]),
    steps: Number(values.steps),
  };
  try {
    setThreads(1);
    const work = calibrated();
    const taken = { none: [], all: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      taken.none.push(...(await loop(work, undefined, options)));
      taken.all.push(...(await loop(work, join(directory, String(round)), options)));
    }
    report(taken, options);
  } finally {
    server.kill();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Work that takes a step's time on this machine, the same each time. */
function calibrated() {
  const values = Float32Array.from({ length: 256 * 256 }, (_, index) => Math.sin(index));
  const matrix = tensor(values, [256, 256]);
  const products = (count) =>
    scope(() => {
      for (let done = 0; done < count; done++) matrix.matmul(matrix);
    });
  products(50);
  const { user: before } = process.cpuUsage(); // what else runs must not make it less
  products(200);
  const count = Math.round((200 * STEP_MS * 1000) / (process.cpuUsage().user - before));
  return () => products(count);
}

/** Milliseconds, less those in which this thread waited for a processor, as far as the system tells. */
function clock() {
  const now = performance.now();
  try {
    return now - Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return now;
  }
}

/** Times of steps, in milliseconds: whole, and in the tracker. */
async function loop(work, runDirectory, { services, seconds, steps }) {
  const tracked =
    runDirectory === undefined ? undefined : await openTracker(runDirectory, { services, seconds, steps });
  const taken = [];
  for (let step = 1; step <= steps; step++) {
    const began = performance.now();
    const before = process.cpuUsage();
    work();
    const worked = clock();
    if (tracked) {
      tracked.tracker.log(metricsOf(step), step);
      const readings = tracked.sampler.take();
      if (readings.length > 0) tracked.tracker.system(readings, step);
    }
    await turn();
    const tracking = clock() - worked;
    const { user, system } = process.cpuUsage(before);
    if (step > 10) taken.push({ step: performance.now() - began, tracking, cpu: (user + system) / 1000 }); // threads start in the first
  }
  if (tracked) {
    await tracked.sampler[Symbol.asyncDispose]();
    tracked.tracker.end({ state: "finished" });
    await tracked.tracker.close();
  }
  return taken;
}

/** Everything that a command's training has. */
async function openTracker(directory, { services, seconds, steps }) {
  const { trackRun } = await import(at("tracking/run.js"));
  const { watchMachine } = await import(at("tracking/system/findings/watch-machine.js"));
  const { SystemSampler } = await import(at("tracking/system/system-sampler.js"));
  const tracker = watchMachine(
    trackRun(directory, {
      steps,
      resume: false,
      services: services.map((service) => ({ service, because: "recipe" })),
      stream: { isTTY: true, columns: 100, write() {} },
    }),
    { maxMinutes: undefined, saveSteps: 1000, keepCheckpoints: 2, workers: 2 },
  );
  await tracker.begin({
    name: "benchmark",
    id: `bench${Date.now() % 1000}`.padEnd(8, "0").slice(0, 8),
    directory,
    task: "pretrain",
    recipe: { max_steps: steps },
    config: {},
    parameters: { all: 1e6, trained: 1e6 },
    processes: 1,
    host: "benchmark",
    device: "cpu",
    command: ["benchmark"],
    versions: { wav2vec2: "0", libtorch: "0", node: process.versions.node },
    began: Date.now(),
    resumed: false,
  });
  tracker.planned(steps);
  const sampler = new SystemSampler({
    rank: 0,
    seconds,
    machine: true,
    directory,
    device: "cpu",
    onNote: (text) => console.error(text),
  });
  return { tracker, sampler };
}

/** As many as pre-training logs. */
function metricsOf(step) {
  const names = [
    "loss",
    "contrastive_loss",
    "diversity_loss",
    "accuracy",
    "codevector_perplexity",
    "mask_share",
  ];
  const more = [
    "learning_rate",
    "gumbel_temperature",
    "grad_norm",
    "audio_seconds",
    "audio_seconds_per_second",
  ];
  const last = ["data_wait_share", "memory_mb", "codevector_perplexity_0", "codevector_perplexity_1"];
  return Object.fromEntries(
    [...names, ...more, ...last].map((name, index) => [name, Math.sin(step + index) + 2]),
  );
}

function report(taken, { services, seconds, steps }) {
  console.log(
    `services: ${services.join(", ") || "none"}; machine read every ${seconds} s; blocks of ${steps} steps in turns`,
  );
  console.log("\n| | step, ms (middle half) | in the loop, ms | processors, ms |\n|---|---|---|---|");
  for (const [name, steps] of Object.entries(taken)) {
    const cells = ["step", "tracking", "cpu"].map((what) => spread(steps.map((row) => row[what])));
    console.log(`| ${[name, ...cells].join(" | ")} |`);
  }
  const of = (name, what) => taken[name].map((row) => row[what]);
  const share = (median(of("all", "tracking")) - median(of("none", "tracking"))) / STEP_MS;
  const mean = (average(of("all", "tracking")) - average(of("none", "tracking"))) / STEP_MS;
  const whole = median(of("all", "step")) / median(of("none", "step")) - 1;
  console.log(
    `\nTracking takes ${percent(share)} of a step of ${STEP_MS} ms in the training thread (mean ${percent(mean)}).`,
  );
  const cpu = average(of("all", "cpu")) / average(of("none", "cpu")) - 1;
  console.log(
    `A whole step is ${percent(whole)} longer by its median; all threads together use ${percent(cpu)} more processor time.`,
  );
  if (share < MOST_SHARE) return;
  console.log(`It must be under ${percent(MOST_SHARE)}.`);
  process.exitCode = 1;
}

function quantile(values, at) {
  return [...values].sort((a, b) => a - b)[Math.floor(at * (values.length - 1))];
}

function median(values) {
  return quantile(values, 0.5);
}

function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function spread(values) {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((at) => quantile(values, at).toFixed(3));
  return `${middle} (${low} to ${high})`;
}

function percent(share) {
  return `${(100 * share).toFixed(2)} %`;
}
