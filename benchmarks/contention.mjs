// What two threads beside other programs cost: a tiny network's training step (8 clips of 3 s) and a pass of BASE over 10 s,
// alone and beside busy processes, for policies of waiting OpenMP threads (libgomp's GOMP_SPINCOUNT).
//   npm run build && node benchmarks/contention.mjs [--spins 20000,0,300000] [--busy 0,1,2] [--jobs tiny,base] [--rounds 3]
// Every row is a process of its own with its own warm-up; rows are measured in turns, medians of rounds are told with the
// lowest and the highest. 20000 is what the library sets, 300000 what libgomp does by itself, 0 sleeps at once.
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { SHAPES } from "./network-shapes.mjs";

const RATE = 16000;

if (process.argv[2] === "--measure") await measure(process.argv[3]);
else compare();

/** Prints the median seconds of a job in this process. */
async function measure(name) {
  const { manualSeed, noGrad, scope, tensor } = await import("@wav2vec2/libtorch");
  const { createConfig, Wav2Vec2ForCTC } = await import("wav2vec2");
  manualSeed(1);
  const model = new Wav2Vec2ForCTC(createConfig({ ...SHAPES[name], layerdrop: 0, ctcZeroInfinity: true }));
  const [clips, seconds, runs] = name === "tiny" ? [8, 3, 9] : [1, 10, 3];
  const samples = seconds * RATE;
  const noise = Float32Array.from({ length: clips * samples }, (_, i) => Math.sin(i * i));
  const lengths = Array(clips).fill(samples);
  const labels = new Int32Array(clips * 20).map((_, i) => 4 + (i % 20));
  const targets = { labels, labelLengths: new Int32Array(clips).fill(20) };
  const forward = () => model.forward({ input: tensor(noise, [clips, samples]), lengths });
  const step = () => {
    const { logits, frames } = forward();
    model.loss(logits, frames, targets).backward();
    model.zeroGrad();
  };
  if (name === "tiny") model.train();
  else model.eval();
  const once = name === "tiny" ? step : () => noGrad(() => forward().logits.toArray());
  const times = Array.from({ length: runs + 1 }, () => {
    const began = performance.now();
    scope(() => void once());
    return (performance.now() - began) / 1000;
  });
  console.log(JSON.stringify(median(times.slice(1))));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function compare() {
  const { values } = parseArgs({
    options: {
      spins: { type: "string", default: "20000,0,300000" },
      busy: { type: "string", default: "0,1,2" },
      jobs: { type: "string", default: "tiny,base" },
      rounds: { type: "string", default: "3" },
    },
  });
  const [spins, busy, jobs] = [values.spins, values.busy, values.jobs].map((list) => list.split(","));
  const rows = jobs.flatMap((job) =>
    spins.flatMap((spin) => busy.map((count) => ({ job, spin, count: Number(count), times: [] }))),
  );
  for (let round = 0; round < Number(values.rounds); round++)
    for (const row of rows) row.times.push(beside(row.count, () => timeOf(row)));
  console.log("job   spin count  busy  seconds (lowest to highest)  over the same alone");
  for (const { job, spin, count, times } of rows) {
    const alone = rows.find((row) => row.job === job && row.spin === spin && row.count === 0);
    const ratio = alone ? (median(times) / median(alone.times)).toFixed(2) : "";
    const [low, high] = [Math.min(...times), Math.max(...times)].map((time) => time.toFixed(3));
    console.log(
      `${job.padEnd(5)} ${spin.padStart(10)}  ${String(count).padStart(4)}  ${median(times).toFixed(3)} (${low} to ${high})`.padEnd(
        52,
      ) + ratio,
    );
  }
}

function beside(count, work) {
  const busy = Array.from({ length: count }, () =>
    spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }),
  );
  try {
    return work();
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
}

function timeOf({ job, spin }) {
  const { OMP_WAIT_POLICY: _, ...env } = process.env;
  return JSON.parse(
    execFileSync(process.execPath, [fileURLToPath(import.meta.url), "--measure", job], {
      encoding: "utf8",
      env: { ...env, GOMP_SPINCOUNT: spin },
    }),
  );
}
