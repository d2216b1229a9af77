// How exactly and how fast other sample rates become 16 kHz, one thread:
//   node benchmarks/resample.mjs [ROUNDS] [PYTHON]
// The signal is 30 s of 200 tones of random frequency and phase below 0.9 of the lower Nyquist frequency, so that what
// should come out is known; what differs from it, a tenth of a second from the ends, is the noise of the
// signal-to-noise ratio. With PYTHON, one that has numpy and soxr, soxr's "HQ" (its default, of about this project's
// exactness) and "VHQ" are measured beside on the same signal (benchmarks/resample.py). Each measurement is a process of
// its own, the best of several passes; they take turns.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SELF = fileURLToPath(import.meta.url);
const TO = 16000;
const RATES = [48000, 44100, 22050, 8000, 11025, 96000];
const SECONDS = 30;
const PASSES = 10;

const [task, ...rest] = process.argv.slice(2);
if (task === "--resample") await measure(...rest);
else compare(Number(task ?? 3), rest[0]);

async function measure(from, input, output) {
  const { resample } = await import("../packages/wav2vec2/dist/audio/resampling/resample.js");
  const bytes = readFileSync(input);
  const samples = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  let seconds = Number.POSITIVE_INFINITY;
  for (let pass = 0; pass < PASSES; pass++) {
    const start = performance.now();
    const resampled = resample(samples, Number(from), TO);
    seconds = Math.min(seconds, (performance.now() - start) / 1000);
    writeFileSync(output, resampled);
  }
  console.log(seconds);
}

function compare(rounds, python) {
  const directory = mkdtempSync(join(tmpdir(), "wav2vec2-resample-"));
  const [input, output] = [join(directory, "input"), join(directory, "output")];
  const programs = { wav2vec2: [process.execPath, SELF, "--resample"] };
  if (python)
    for (const quality of ["HQ", "VHQ"])
      programs[`soxr ${quality}`] = [python, join(SELF, "../resample.py"), quality];
  try {
    for (const from of RATES) {
      const tones = randomTones(0.45 * Math.min(from, TO));
      writeFileSync(input, sampled(tones, from));
      const expected = sampled(tones, TO);
      const speeds = Object.fromEntries(Object.keys(programs).map((name) => [name, []]));
      const ratios = {};
      for (let round = 0; round < rounds; round++)
        for (const [name, [program, ...args]] of Object.entries(programs)) {
          const seconds = Number(execFileSync(program, [...args, from, input, output], { encoding: "utf8" }));
          speeds[name].push(SECONDS / seconds);
          const bytes = readFileSync(output);
          ratios[name] = signalToNoise(
            new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4),
            expected,
          );
        }
      for (const [name, values] of Object.entries(speeds)) {
        const [low, middle, high] = [Math.min(...values), median(values), Math.max(...values)].map((x) =>
          x.toFixed(0),
        );
        console.log(
          `${from} Hz, ${name.padEnd(8)}  signal to noise ${ratios[name].toFixed(1)} dB, ` +
            `${middle} times real time (${low} to ${high})`,
        );
      }
      for (const name of Object.keys(speeds).slice(1)) {
        const ratio = median(speeds[name]) / median(speeds.wav2vec2);
        console.log(`${from} Hz, wav2vec2 takes ${ratio.toFixed(2)} times the time of ${name}`);
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function randomTones(highest) {
  let state = 1;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  return Array.from({ length: 200 }, () => [20 + random() * (highest - 20), 2 * Math.PI * random()]);
}

function sampled(tones, rate) {
  const sum = new Float64Array(SECONDS * rate);
  for (const [hertz, phase] of tones)
    for (let i = 0; i < sum.length; i++) sum[i] += 0.05 * Math.sin((2 * Math.PI * hertz * i) / rate + phase);
  return Float32Array.from(sum);
}

function signalToNoise(actual, expected) {
  let [signal, noise] = [0, 0];
  for (let i = TO / 10; i < expected.length - TO / 10; i++) {
    signal += expected[i] ** 2;
    noise += (actual[i] - expected[i]) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}
