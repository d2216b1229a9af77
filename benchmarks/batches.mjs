// Padding of batches, and how long planning an epoch takes, on 281,241 clips: as many as LibriSpeech has.
//   node benchmarks/batches.mjs DATA
// DATA is a directory that holds LibriSpeech-mini (351 clips) and librispeech-text (transcripts of train-clean-100).
// Two stand-ins for LibriSpeech's lengths: those of the clips, drawn anew and blurred by up to 3 % either way, and
// those of the transcripts at 14.5 characters a second, spoken up to 10 % faster or slower, from 1.4 to 24.5 s.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lengthBucketedBatches, paddingShare } from "../packages/wav2vec2/dist/data/batches/batches.js";
import { Random } from "../packages/wav2vec2/dist/data/random.js";

const [data] = process.argv.slice(2);
if (!data) throw new Error("DATA must be given. Run: node benchmarks/batches.mjs ../shared/data");

const COUNT = 281_241;
const RATE = 16_000;

/** Samples of a FLAC file, from the 36 bits at byte 21 of its header. */
function flacSamples(path) {
  const bytes = readFileSync(path);
  return (bytes[21] & 15) * 2 ** 32 + bytes.readUInt32BE(22);
}

const mini = join(data, "LibriSpeech-mini", "LibriSpeech");
const clips = readdirSync(mini, { recursive: true })
  .filter((name) => name.endsWith(".flac"))
  .map((name) => flacSamples(join(mini, name)));
const transcripts = readFileSync(join(data, "librispeech-text", "train-clean-100.text"), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.length - line.indexOf(" ") - 1);

const random = new Random(1, "lengths");
const blur = (share) => 1 + share * (2 * random.uniform() - 1);
const draw = (list) => list[random.integer(list.length)];
const corpora = {
  [`${clips.length} clips`]: () => draw(clips) * blur(0.03),
  [`${transcripts.length} transcripts`]: () =>
    Math.min(24.5, Math.max(1.4, (draw(transcripts) / 14.5) * blur(0.1))) * RATE,
};

const share = (value) => `${(100 * value).toFixed(2)} %`;
const seconds = (samples) => `${(samples / RATE).toFixed(0)} s`;
for (const [name, length] of Object.entries(corpora)) {
  const utterances = Array.from({ length: COUNT }, () => ({ samples: Math.round(length()) }));
  const total = utterances.reduce((sum, { samples }) => sum + samples, 0);
  console.log(
    `\n${COUNT} lengths as of ${name}: ${(total / RATE / 3600).toFixed(0)} h, ${(total / RATE / COUNT).toFixed(1)} s a clip`,
  );
  console.log(
    "| limit | batches | padding | random batches | smallest, median, largest batch | waiting of 2, 8, 64 processes | planning |",
  );
  console.log("|---|---|---|---|---|---|---|");
  for (const limits of [
    { batchSeconds: 100 },
    { batchSize: 8 },
    { batchSize: 16 },
    { batchSize: 32 },
    { batchSize: 32, batchSeconds: 400 },
  ]) {
    const began = performance.now();
    const batches = lengthBucketedBatches(utterances, { ...limits, seed: 1, epoch: 0 });
    const planning = performance.now() - began;
    const padded = batches.map(
      (batch) => batch.reduce((most, index) => Math.max(most, utterances[index].samples), 0) * batch.length,
    );
    const sizes = padded.toSorted((a, b) => a - b);
    // What one of several processes computes while the slowest of a step still does.
    const waiting = (processes) => {
      let slowest = 0;
      for (let start = 0; start < padded.length; start += processes)
        slowest += processes * Math.max(...padded.slice(start, start + processes));
      return 1 - padded.reduce((sum, size) => sum + size, 0) / slowest;
    };
    const shuffled = random.shuffle(batches.flat());
    const unsorted = batches.map(({ length }) => shuffled.splice(-length));
    console.log(
      `| ${Object.entries(limits)
        .map(([key, value]) => `${value} ${key === "batchSize" ? "clips" : "s"}`)
        .join(", ")} | ${batches.length} | ` +
        `${share(paddingShare(utterances, batches))} | ${share(paddingShare(utterances, unsorted))} | ` +
        `${seconds(sizes[0])}, ${seconds(sizes[sizes.length >> 1])}, ${seconds(sizes.at(-1))} | ` +
        `${[2, 8, 64].map((processes) => share(waiting(processes))).join(", ")} | ${planning.toFixed(0)} ms |`,
    );
  }
}
