// What recordings of an hour cost in memory and time, read whole and in blocks:
//   node benchmarks/stream.mjs CLIPS PYTHON [ROUNDS]
// CLIPS is a directory of FLAC files, PYTHON one that has numpy and soundfile, which writes a minute and an hour of their
// speech in many formats (benchmarks/stream.py). Each measurement is a process of its own; reading whole and in blocks
// take turns. What both give is compared by its hash, the time of which does not count.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
const SAMPLE_RATE = 16000;

const [task, ...rest] = process.argv.slice(2);
if (task === "--whole" || task === "--blocks") await measure(task, rest[0]);
else if (rest.length === 0)
  throw new Error("Give clips and a Python: node benchmarks/stream.mjs CLIPS PYTHON");
else compare(task, rest[0], Number(rest[1] ?? 3));

async function measure(way, path) {
  // The package as a whole would load libtorch, which takes more memory than reading.
  const { readAudio } = await import("../packages/wav2vec2/dist/audio/audio-file.js");
  const { streamAudio } = await import("../packages/wav2vec2/dist/audio/audio-stream.js");
  const hash = createHash("sha256");
  let [samples, hashing] = [0, 0];
  const take = (block) => {
    const start = performance.now();
    hash.update(block);
    samples += block.length;
    hashing += performance.now() - start;
  };
  const start = performance.now();
  if (way === "--whole") take(await readAudio(path));
  else for await (const block of streamAudio(path)) take(block);
  const seconds = (performance.now() - start - hashing) / 1000;
  const megabytes = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ samples, seconds, megabytes, hash: hash.digest("hex") }));
}

function compare(clips, python, rounds) {
  const directory = mkdtempSync(join(tmpdir(), "wav2vec2-stream-"));
  try {
    execFileSync(python, [join(SELF, "../stream.py"), clips, directory], { stdio: "inherit" });
    console.log(`memory in MB, speed in times real time: median of ${rounds} rounds (lowest to highest)`);
    const names = readdirSync(directory).filter((name) => name.startsWith("hour-"));
    for (const hour of names) {
      const minute = hour.replace("hour", "minute");
      const results = { whole: [], blocks: [] };
      for (let round = 0; round < rounds; round++)
        for (const way of ["whole", "blocks"]) results[way].push(run(`--${way}`, join(directory, hour)));
      const short = run("--blocks", join(directory, minute));
      if (new Set(Object.values(results).flatMap((runs) => runs.map(({ hash }) => hash))).size !== 1)
        throw new Error(`${hour} is not the same in blocks`);
      const memory = (runs) => median(runs.map(({ megabytes }) => megabytes)).toFixed(0);
      console.log(
        `${hour.slice(5).padEnd(16)} blocks: ${memory([short])} MB of a minute, ${memory(results.blocks)} MB of an hour, ` +
          `${speed(results.blocks)}; whole: ${memory(results.whole)} MB, ${speed(results.whole)}; the same samples`,
      );
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function run(way, path) {
  return JSON.parse(execFileSync(process.execPath, [SELF, way, path], { encoding: "utf8" }));
}

function speed(runs) {
  const speeds = runs.map(({ samples, seconds }) => samples / SAMPLE_RATE / seconds);
  const [lowest, highest] = [Math.min(...speeds), Math.max(...speeds)].map((value) => value.toFixed(0));
  return `${median(speeds).toFixed(0)} (${lowest} to ${highest})`;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
