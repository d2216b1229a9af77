// A keyword spotter: which of three words is said in a clip. The words are melodies that it makes itself, laid in a directory
// for each, as Hugging Face's audiofolder has them. About a quarter of a minute on one core: node examples/16-keyword-spotter.mjs [DIRECTORY]
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  classifyFile,
  encodeFlac,
  evaluateClassifier,
  Random,
  resolveRecipe,
  SAMPLE_RATE,
  trainClassifier,
} from "wav2vec2";

const [directory = "runs/keywords"] = process.argv.slice(2);
const WORDS = { yes: [500, 900, 1400], no: [400, 300, 500], stop: [1600, 1200, 1000] };
const random = new Random(1, "words");

/** Three tones of a tenth of a second each, somewhere in a second of noise, higher or lower. */
function say(tones = WORDS.yes) {
  const samples = Float32Array.from({ length: SAMPLE_RATE }, () => 0.05 * (random.uniform() - 0.5));
  const start = Math.floor(random.uniform() * 0.6 * SAMPLE_RATE);
  const pitch = 0.9 + 0.2 * random.uniform();
  for (let t = 0; t < 0.3 * SAMPLE_RATE; t++) {
    const tone = tones[Math.floor(t / (0.1 * SAMPLE_RATE))];
    samples[start + t] += 0.3 * Math.sin((2 * Math.PI * pitch * tone * t) / SAMPLE_RATE);
  }
  return samples;
}

const data = join(directory, "data");
for (const [split, count] of Object.entries({ train: 40, dev: 10, test: 20 }))
  for (const [word, tones] of Object.entries(WORDS)) {
    await mkdir(join(data, split, word), { recursive: true });
    for (let i = 0; i < count; i++)
      await writeFile(join(data, split, word, `${i}.flac`), encodeFlac(say(tones), SAMPLE_RATE));
  }

const recipe = resolveRecipe({
  task: "classify",
  data: { root: data, batch_seconds: 16 },
  output: join(directory, "run"),
  max_steps: 100,
  eval_steps: 50,
  model: {
    ...{
      conv_dim: [32, 48, 48],
      conv_kernel: [40, 8, 4],
      conv_stride: [20, 4, 4],
      feat_extract_norm: "layer",
    },
    ...{ do_stable_layer_norm: true, hidden_size: 48, num_hidden_layers: 1, num_attention_heads: 4 },
    ...{ intermediate_size: 96, num_conv_pos_embeddings: 16, classifier_proj_size: 32 },
    ...{ mask_time_prob: 0, layerdrop: 0 },
  },
  optimizer: { learning_rate: 4e-3 },
  schedule: { warmup_steps: 20 },
  threads: 1,
});
const { classifier } = await trainClassifier(recipe); // in memory; the best one lies in run/best

const { classes } = await evaluateClassifier(classifier, { data, split: "test" });
const percent = (share = 0) => `${(100 * share).toFixed(1)} %`;
const { low, high } = classes?.accuracyInterval ?? {};
console.log(`accuracy on test: ${percent(classes?.accuracy)} (${percent(low)} to ${percent(high)})`);
for (const { label, precision, recall } of classes?.labels ?? [])
  console.log(`${label.padEnd(5)} precision ${percent(precision)}, recall ${percent(recall)}`);

// A path, bytes, a stream, samples: any audio that `transcribe` takes.
const { labels = [] } = await classifyFile(classifier, { samples: say(WORDS.yes), sampleRate: SAMPLE_RATE });
console.log(`a new yes: ${labels.map(({ label, score }) => `${label} ${score.toFixed(2)}`).join(", ")}`);
