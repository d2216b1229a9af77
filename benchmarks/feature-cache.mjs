// What a feature cache saves: one training step from audio and one from features of the same clips, the convolutions
// frozen in both, on clips of noise; then the same where the output layer learns alone. Times are of the same run, in turns.
//   node benchmarks/feature-cache.mjs [--shape tiny|base|all] [--clips 4] [--seconds 12.3] [--steps 5]
import { parseArgs } from "node:util";
import { manualSeed, scope, tensor, tensorFromBytes } from "@wav2vec2/libtorch";
import { createConfig, Wav2Vec2ForCTC } from "../packages/wav2vec2/dist/index.js";
import { SHAPES } from "./network-shapes.mjs";

const { values } = parseArgs({
  options: {
    shape: { type: "string", default: "all" },
    clips: { type: "string", default: "4" },
    seconds: { type: "string", default: "12.3" }, // LibriSpeech's mean
    steps: { type: "string", default: "5" },
  },
});
const clips = Number(values.clips);
const samples = Math.round(Number(values.seconds) * 16000);

for (const [name, shape] of Object.entries(SHAPES))
  if (values.shape === "all" || values.shape === name) measure(name, shape);

/** @param {number[][]} times of pairs */
function medians(times) {
  return [0, 1].map((i) => times.map((pair) => pair[i]).sort((a, b) => a - b)[times.length >> 1]);
}

/** @param {string} name @param {object} shape */
function measure(name, shape) {
  manualSeed(1);
  const model = new Wav2Vec2ForCTC(createConfig({ ...shape, layerdrop: 0, ctcZeroInfinity: true }));
  model.freezeFeatureEncoder();
  model.train();
  const noise = Float32Array.from({ length: clips * samples }, () => Math.random() - 0.5);
  const lengths = Array(clips).fill(samples);
  const labels = new Int32Array(clips * 20).map((_, i) => 4 + (i % 20));
  const targets = { labels, labelLengths: new Int32Array(clips).fill(20) };
  const input = () => tensor(noise, [clips, samples]);

  const { bytes, shape: size } = scope(() => {
    const features = model.wav2vec2.encode({ input: input(), lengths });
    return { bytes: features.contiguous().toBytes(), shape: features.shape };
  });
  const step = (given) => {
    const began = performance.now();
    scope(() => {
      const { logits, frames } = model.forward({ ...given(), lengths });
      model.loss(logits, frames, targets).backward();
      model.zeroGrad();
    });
    return (performance.now() - began) / 1000;
  };
  const fromAudio = () => step(() => ({ input: input() }));
  const fromFeatures = () => step(() => ({ features: tensorFromBytes(bytes, size, "float32") }));
  fromAudio();
  fromFeatures();
  const turns = () => Array.from({ length: Number(values.steps) }, () => [fromAudio(), fromFeatures()]);
  const [audio, features] = medians(turns());
  model.backboneFrozen = true;
  const alone = medians(turns());
  const megabytes = bytes.length / 1e6;
  const hour = (megabytes / ((clips * samples) / 16000)) * 3600;
  process.stdout.write(
    `${name}: ${clips} clips of ${values.seconds} s. A step from audio ${audio.toFixed(2)} s, from features ` +
      `${features.toFixed(2)} s: ${(audio / features).toFixed(2)} times as fast. The output layer alone: ${alone[0].toFixed(2)} s, ` +
      `${alone[1].toFixed(2)} s, ${(alone[0] / alone[1]).toFixed(2)} times as fast. Features: ${megabytes.toFixed(1)} MB, ` +
      `${hour.toFixed(0)} MB an hour.\n`,
  );
}
