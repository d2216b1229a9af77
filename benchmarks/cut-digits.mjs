// Cuts connected digits with pauses of digital silence between them into single ones, for configs/classify-digits.yaml:
//   node benchmarks/cut-digits.mjs CORPUS DIRECTORY
// CORPUS is in LibriSpeech layout with the splits train, dev and test; DIRECTORY gets train.csv, dev.csv and test.csv, whose
// rows are parts of the corpus's files with a label, the digit, and a speaker. Strings whose sounds are not as many as their words
// are left out.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readAudio, readCorpus, SAMPLE_RATE, writeManifest } from "wav2vec2";

const [corpus, directory] = process.argv.slice(2);
if (!directory) throw new Error("Give a corpus of connected digits and a directory for the manifests.");

const SILENCE = 1e-3; // of resampling's ringing
const PAUSE_SECONDS = 0.024;
const SHORTEST_SECONDS = 0.06;

/** What lies between pauses, in seconds. */
function soundsIn(samples) {
  const sounds = [];
  let [start, last] = [-1, -1];
  const close = () =>
    start >= 0 && sounds.push({ start: start / SAMPLE_RATE, end: (last + 1) / SAMPLE_RATE });
  for (const [i, sample] of samples.entries()) {
    if (Math.abs(sample) < SILENCE) continue;
    if (start < 0 || i - last > PAUSE_SECONDS * SAMPLE_RATE) {
      close();
      start = i;
    }
    last = i;
  }
  close();
  return sounds.filter(({ start, end }) => end - start >= SHORTEST_SECONDS);
}

await mkdir(directory, { recursive: true });
for (const split of ["train", "dev", "test"]) {
  const { utterances } = await readCorpus(corpus, split);
  const digits = [];
  let left = 0;
  for (const { id, path, speaker, text } of utterances) {
    const words = text.split(" ");
    const sounds = soundsIn(await readAudio(path));
    if (sounds.length !== words.length) left++;
    else
      for (const [i, label] of words.entries())
        digits.push({ id: `${id}-${i}`, path, ...sounds[i], speaker, columns: { label } });
  }
  await writeManifest(join(directory, `${split}.csv`), digits);
  console.log(`${split}: ${digits.length} digits; ${left} of ${utterances.length} strings are left out`);
}
