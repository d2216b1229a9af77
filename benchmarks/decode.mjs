// How fast speech is read: FLAC files decoded from the page cache to mono float32 at 16 kHz and normalised, one thread:
//   node benchmarks/decode.mjs DIRECTORY [ROUNDS] [PYTHON]
// Each measurement is a process of its own that goes over all files twice, of which the second time counts: the first
// one compiles and fills the page cache. The programs take turns. With PYTHON, one that has soundfile and numpy, those
// are measured beside (benchmarks/decode.py); they do not compare the samples' MD5 with the header's, which costs this
// project about an eighth of its time.
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
const SAMPLE_RATE = 16000;

const [task, ...rest] = process.argv.slice(2);
if (!task) throw new Error("Give a directory: node benchmarks/decode.mjs DIRECTORY [ROUNDS] [PYTHON]");
if (task === "--decode") await decode(rest[0]);
else compare(task, Number(rest[0] ?? 5), rest[1]);

async function decode(directory) {
  const { normalize, readAudio } = await import("wav2vec2");
  const files = list(directory);
  const pass = async () => {
    let samples = 0;
    let reading = 0;
    const start = performance.now();
    for (const file of files) {
      const begin = performance.now();
      const clip = await readAudio(file);
      reading += performance.now() - begin;
      samples += normalize(clip, clip).length; // in place, as batches are prepared
    }
    return { samples, reading: reading / 1000, seconds: (performance.now() - start) / 1000 };
  };
  await pass();
  console.log(JSON.stringify(await pass()));
}

function compare(directory, rounds, python) {
  const programs = { wav2vec2: [process.execPath, SELF, "--decode"] };
  if (python) programs["soundfile, numpy"] = [python, join(SELF, "../decode.py")];
  const runs = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, [program, ...args]] of Object.entries(programs))
      runs[name].push(run(program, [...args, directory]));

  const { samples } = runs.wav2vec2[0];
  console.log(
    `${list(directory).length} files, ${(samples / SAMPLE_RATE).toFixed(0)} s of speech, ${rounds} rounds`,
  );
  for (const [name, results] of Object.entries(runs)) {
    if (results.some((result) => result.samples !== samples)) throw new Error(`${name} read other lengths`);
    report(
      `${name}: read`,
      results.map(({ reading }) => samples / SAMPLE_RATE / reading),
    );
    report(`${name}: read and normalise`, speeds(results));
  }
  if (python) {
    const ratio = median(speeds(runs.wav2vec2)) / median(speeds(runs["soundfile, numpy"]));
    console.log(`wav2vec2 reads and normalises at ${ratio.toFixed(2)} of the speed of soundfile and numpy`);
  }
  function speeds(results) {
    return results.map(({ seconds }) => samples / SAMPLE_RATE / seconds);
  }
}

function list(directory) {
  return readdirSync(directory, { recursive: true })
    .filter((name) => name.endsWith(".flac"))
    .map((name) => join(directory, name));
}

function run(program, args) {
  const env = { ...process.env, OMP_NUM_THREADS: "1", OPENBLAS_NUM_THREADS: "1" };
  return JSON.parse(execFileSync(program, args, { encoding: "utf8", env }));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function report(name, speeds) {
  const round = (speed) => speed.toFixed(0);
  console.log(
    `${name.padEnd(38)} ${round(median(speeds))} times real time (${round(Math.min(...speeds))} to ${round(Math.max(...speeds))})`,
  );
}
