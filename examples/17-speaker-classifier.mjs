// Telling speakers apart: an X-vector for each clip, and whether two clips are of one speaker. The speakers are sounds of
// different pitch and colour that it makes itself. About a quarter of a minute on one core: node examples/17-speaker-classifier.mjs [DIRECTORY]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cosineSimilarity, tensor } from "@wav2vec2/libtorch";
import {
  classifyFile,
  encodeFlac,
  evaluateClassifier,
  loadClassifier,
  Random,
  resolveRecipe,
  SAMPLE_RATE,
  trainClassifier,
} from "wav2vec2";

const [directory = "runs/speakers"] = process.argv.slice(2);
/** Pitch in hertz, and how loud the overtones are. */
const VOICES = { anna: [210, 0.7], ben: [110, 0.8], carl: [140, 0.4], dora: [260, 0.5] };
const random = new Random(1, "voices");

/** A second and a half of a voice whose pitch moves. */
function speak([pitch, colour] = VOICES.anna) {
  const length = 1.5 * SAMPLE_RATE;
  const bend = 2 * Math.PI * random.uniform();
  let phase = 0;
  return Float32Array.from({ length }, (_, t) => {
    phase += (2 * Math.PI * pitch * (1 + 0.08 * Math.sin(bend + (6 * t) / SAMPLE_RATE))) / SAMPLE_RATE;
    const overtones = [1, 2, 3, 4, 5, 6].map((n) => colour ** n * Math.sin(n * phase));
    return 0.1 * overtones.reduce((sum, value) => sum + value) + 0.02 * (random.uniform() - 0.5);
  });
}

const data = join(directory, "data");
await mkdir(data, { recursive: true });
for (const [split, count] of Object.entries({ train: 40, dev: 8, test: 12 })) {
  const rows = [];
  for (const [speaker, voice] of Object.entries(VOICES))
    for (let i = 0; i < count; i++) {
      const name = `${split}-${speaker}-${i}.flac`;
      await writeFile(join(data, name), encodeFlac(speak(voice), SAMPLE_RATE));
      rows.push(`${name},${speaker}`);
    }
  await writeFile(join(data, `${split}.csv`), `audio,speaker\n${rows.join("\n")}\n`);
}

const recipe = resolveRecipe({
  task: "speaker",
  data: { root: data, batch_seconds: 24 },
  output: join(directory, "run"),
  max_steps: 60,
  eval_steps: 30,
  model: {
    ...{
      conv_dim: [32, 48, 48],
      conv_kernel: [40, 8, 4],
      conv_stride: [20, 4, 4],
      feat_extract_norm: "layer",
    },
    ...{ do_stable_layer_norm: true, hidden_size: 48, num_hidden_layers: 1, num_attention_heads: 4 },
    ...{ intermediate_size: 96, num_conv_pos_embeddings: 16, mask_time_prob: 0, layerdrop: 0 },
    ...{ tdnn_dim: [48, 48, 96], tdnn_kernel: [5, 3, 1], tdnn_dilation: [1, 2, 1], xvector_output_dim: 32 },
  },
  optimizer: { learning_rate: 2e-3 },
  schedule: { warmup_steps: 20 },
  threads: 1,
});
const { model, classifier } = await trainClassifier(recipe);

const best = model === undefined ? classifier : await loadClassifier(model);
const { verification, classes } = await evaluateClassifier(best, { data, split: "test" });
const percent = (share = 0) => `${(100 * share).toFixed(1)} %`;
console.log(`equal error rate of ${verification?.trials} pairs: ${percent(verification?.equalErrorRate)}`);
console.log(`accuracy: ${percent(classes?.accuracy)}`);

const clips = ["anna-0", "anna-1", "ben-0"].map((name) => join(data, `test-${name}.flac`));
const told = await Promise.all(clips.map((clip) => classifyFile(best, clip)));
const [one, same, other] = told.map(({ embedding = [] }) => tensor(embedding));
const [close, far] = [same, other].map((vector) => cosineSimilarity(one, vector, 0).item().toFixed(2));
console.log(`anna and anna ${close}, anna and ben ${far}`);
