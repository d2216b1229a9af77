// What augmentation and the collators cost, in one thread:
//   node benchmarks/augmentation.mjs [ROUNDS]
// The clip has 10 s; batches have 8 clips of 12 s. All is white noise: the time does not depend on the sound.
import { addNoise } from "../packages/wav2vec2/dist/audio/augmentation/noise.js";
import { reverberate } from "../packages/wav2vec2/dist/audio/augmentation/reverberation.js";
import { changeSpeed } from "../packages/wav2vec2/dist/audio/augmentation/speed.js";
import { changeVolume } from "../packages/wav2vec2/dist/audio/augmentation/volume.js";
import { collateCtc } from "../packages/wav2vec2/dist/data/batches/ctc-collator.js";
import { collatePreTraining } from "../packages/wav2vec2/dist/data/batches/pretraining-collator.js";
import { Random } from "../packages/wav2vec2/dist/data/random.js";

const rounds = Number(process.argv[2] ?? 60);
const RATE = 16_000;
const random = new Random(1, "benchmark");
const uniform = () => random.uniform();
const sound = (seconds) => Float32Array.from({ length: seconds * RATE }, () => uniform() - 0.5);
const room = (seconds) => sound(seconds).map((x, t) => x * Math.exp((-7 * t) / (seconds * RATE)));

const clip = sound(10);
const noise = sound(30);
const rooms = [0.25, 0.5, 1, 2].map((seconds) => [seconds, room(seconds)]);
const items = Array.from({ length: 8 }, (_, i) => ({
  id: `${i}`,
  samples: sound(12),
  labels: new Int32Array(180),
}));
const paper = {
  convKernel: [10, 3, 3, 3, 3, 2, 2],
  convStride: [5, 2, 2, 2, 2, 2, 2],
  maskTimeProb: 0.65,
  maskTimeLength: 10,
  maskTimeMinMasks: 2,
  numNegatives: 100,
};

const work = {
  "speed 0.9": () => changeSpeed(clip, 0.9),
  "speed 1.1": () => changeSpeed(clip, 1.1),
  noise: () => addNoise(clip, noise, 10, 12_345),
  ...Object.fromEntries(
    rooms.map(([seconds, response]) => [`room of ${seconds} s`, () => reverberate(clip, response)]),
  ),
  volume: () => changeVolume(clip, 3),
  "CTC batch": () => collateCtc(items, { minimumSamples: 400 }),
  "pre-training batch, cropped": () => collatePreTraining(items, { ...paper, padding: "crop" }, uniform),
};

console.log("| | median | from 10 % to 90 % |");
console.log("|---|---|---|");
for (const [name, run] of Object.entries(work)) {
  for (let i = 0; i < 10; i++) run();
  const times = Array.from({ length: rounds }, () => {
    const began = performance.now();
    run();
    return performance.now() - began;
  }).sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (times.length - 1))].toFixed(1);
  console.log(`| ${name} | ${at(0.5)} ms | ${at(0.1)} to ${at(0.9)} ms |`);
}
