// How time and memory of recognition grow with the recording's length, the clips of a batch, the network's layers and the
// threads, drawn as pictures:
//   npm run build && node benchmarks/growth.mjs [--only length|clip|batch|layers|threads] [--minutes 60] [--output docs/images]
// Every point is a process of its own (benchmarks/growth/point.mjs): time is that of one pass behind another, memory the
// process's highest resident one (VmHWM). Recordings of any length go through `Recognizer.transcribe` in windows, the others
// through one forward pass. Lengths are recognised by the tiny network of configs/pretrain-tiny.yaml, whose time is small enough for an
// hour of audio; the rest by BASE. Numbers are printed as tables; beside each value stands the exponent by which it grew from the point
// before: 1 is linear, 2 quadratic.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chartPicture } from "../packages/wav2vec2/dist/pages/charts/chart-picture.js";
import { measure } from "./side-by-side/measure.mjs";
import { writeNetwork } from "./side-by-side/networks.mjs";

const FOLDER = fileURLToPath(new URL("build/side-by-side", import.meta.url));
const POINT = fileURLToPath(new URL("growth/point.mjs", import.meta.url));

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    minutes: { type: "string", default: "60" },
    output: { type: "string" },
  },
});
const longest = Number(values.minutes) * 60;

/** What grows: the axis, and a request for each place on it. */
const SWEEPS = {
  length: {
    title: "one recording, tiny network",
    axis: "seconds of audio",
    points: [1, 5, 15, 30, 60, 300, 900, 1800, 3600].filter((seconds) => seconds <= longest),
    request: (seconds) => ({ network: "tiny", recording: true, clips: 1, seconds, threads: 2 }),
  },
  clip: {
    title: "one forward pass over a whole clip, BASE",
    axis: "seconds of audio",
    points: [1, 5, 10, 20, 40, 80],
    request: (seconds) => ({ network: "base", clips: 1, seconds, threads: 2 }),
  },
  batch: {
    title: "batches of 5 s, BASE",
    axis: "clips",
    points: [1, 2, 4, 8, 16],
    request: (clips) => ({ network: "base", clips, seconds: 5, threads: 2 }),
  },
  layers: {
    title: "10 s by networks as wide as BASE",
    axis: "layers",
    points: [1, 3, 6, 12, 24],
    request: (layers) => ({ network: "base", clips: 1, seconds: 10, threads: 2, layers }),
  },
  threads: {
    title: "10 s, BASE",
    axis: "threads",
    points: [1, 2, 4],
    request: (threads) => ({ network: "base", clips: 1, seconds: 10, threads }),
  },
};

const chosen = Object.entries(SWEEPS).filter(([name]) => new RegExp(values.only).test(name));
if (chosen.length === 0)
  throw new Error(`--only must name one of ${Object.keys(SWEEPS).join(", ")}, but is ${values.only}.`);
for (const [name, sweep] of chosen) {
  const measured = [];
  for (const x of sweep.points) {
    const request = sweep.request(x);
    const directory = await writeNetwork(FOLDER, request.network);
    const args = [POINT, JSON.stringify({ ...request, directory })];
    const command = { executable: process.execPath, args, writes: "json" };
    const found = await measure(command, { threads: request.threads, timeout: 1800 });
    if (found.error) throw new Error(`${name} at ${x}: ${found.error}`);
    console.error(`${name} ${x}: ${found.seconds.toPrecision(3)} s, ${found.peakMb.toFixed(0)} MB`);
    measured.push({ x, ...found });
  }
  print(name, sweep, measured);
  if (values.output) draw(name, sweep, measured);
}

function print(name, { axis, title }, measured) {
  console.log(
    `\n${name}: ${title}\n\n| ${axis} | seconds | grows by the power | processor seconds | grows by the power | peak memory |\n|---|---|---|---|---|---|`,
  );
  for (const [i, point] of measured.entries()) {
    const { x, seconds, processor, peakMb } = point;
    const before = measured[i - 1];
    const power = (key) =>
      before ? (Math.log(point[key] / before[key]) / Math.log(x / before.x)).toFixed(2) : "";
    const cells = [x, seconds.toPrecision(3), power("seconds"), processor.toPrecision(3), power("processor")];
    console.log(`| ${cells.join(" | ")} | ${peakMb.toFixed(0)} MB |`);
  }
}

function draw(name, { title, axis }, measured) {
  mkdirSync(values.output, { recursive: true });
  const line = (name, key, tone) => ({
    name,
    tone,
    points: measured.map((point) => ({ x: point.x, y: point[key] })),
  });
  const pictures = {
    time: ["Seconds", [line("by the clock", "seconds", 1), line("of all cores", "processor", 2)]],
    memory: ["Peak MB", [line("peak MB", "peakMb", 1)]],
  };
  for (const [kind, [label, series]] of Object.entries(pictures)) {
    const chart = { title: `${label}: ${title}`, series, axis, format: "short" };
    writeFileSync(join(values.output, `growth-${name}-${kind}.svg`), chartPicture(chart));
  }
}
