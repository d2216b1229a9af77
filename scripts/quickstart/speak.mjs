// A worker thread that speaks: it gets one speaker of the plan at a time and writes that speaker's chapters.
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import Espeak from "@echogarden/espeak-ng-emscripten";
import { encodeFlac } from "../../packages/wav2vec2/dist/audio/flac/flac-writer.js";
import { resample } from "./resample.mjs";

const SAMPLE_RATE = 16000;
/** Voices differ 25-fold in level; all are brought to this peak. */
const PEAK = 0.5;

// espeak-ng seeds its random numbers with the time when it starts. With the clock of this thread stopped, and
// started anew for each speaker, a corpus comes out the same on every machine and after every interruption.
Date.now = () => 0;

/** @type {string} */
const corpus = workerData;

parentPort?.on("message", async (/** @type {import("./plan.mjs").Speaker} */ speaker) => {
  const engine = await Espeak();
  const espeak = new engine.eSpeakNGWorker();
  espeak.set_voice(`gmw/${speaker.voice.accent}+${speaker.voice.variant}`);
  espeak.set_pitch(speaker.pitch);
  espeak.set_range(speaker.range);
  for (const chapter of speaker.chapters) {
    // A chapter is renamed to its place when it is complete, so what is there needs no second look.
    const target = join(corpus, chapter.directory);
    const draft = join(corpus, "drafts", chapter.name);
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    for (const clip of chapter.clips) {
      espeak.set_rate(clip.rate);
      const text = clip.text.toLowerCase().replaceAll(" ", clip.pauses ? ", " : " ");
      const speech = resample(speak(espeak, text), espeak.get_samplerate(), SAMPLE_RATE);
      await writeFile(join(draft, `${clip.id}.flac`), encodeFlac(arrange(speech, clip), SAMPLE_RATE));
      parentPort?.postMessage({ id: clip.id });
    }
    const lines = chapter.clips.map(({ id, text }) => `${id} ${text}\n`);
    await writeFile(join(draft, `${chapter.name}.trans.txt`), lines.join(""));
    await mkdir(dirname(target), { recursive: true });
    await rm(target, { recursive: true, force: true });
    await rename(draft, target);
  }
  parentPort?.postMessage({ finished: true });
});

/** @param {{ synthesize: Function }} espeak @param {string} text @returns {Float32Array} */
function speak(espeak, text) {
  /** @type {Int16Array[]} */
  const parts = [];
  espeak.synthesize(text, (/** @type {Int16Array} */ part) => {
    parts.push(part);
    return false;
  });
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    for (const sample of part) samples[at++] = sample / 32768;
  }
  return samples;
}

/**
 * The speech at its level, in the clip's silence; espeak-ng's own silence at the ends is cut off.
 * @param {Float32Array} speech
 * @param {import("./plan.mjs").Clip} clip
 */
function arrange(speech, clip) {
  const peak = speech.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
  const audible = (/** @type {number} */ sample) => Math.abs(sample) > peak / 500;
  const first = speech.findIndex(audible);
  const last = speech.findLastIndex(audible);
  if (first < 0) throw new Error(`espeak-ng was silent for ${clip.id} (${clip.text}).`);
  const before = Math.round(clip.before * SAMPLE_RATE);
  const after = Math.round(clip.after * SAMPLE_RATE);
  const samples = new Float32Array(before + (last - first + 1) + after);
  samples.set(
    speech.subarray(first, last + 1).map((sample) => (sample * PEAK) / peak),
    before,
  );
  return samples;
}
