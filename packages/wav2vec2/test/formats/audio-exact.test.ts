import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readAudio, readAudioInfo } from "../../src/audio/audio-file.js";
import { readFlacInfo } from "../../src/audio/flac/flac.js";
import { sharedData } from "../fixtures/shared-data.js";

const { path: DATA, isThere } = sharedData("LibriSpeech-mini");

it.skipIf(!isThere)("every 16-bit FLAC file of ../shared/data has the samples of its MD5", async () => {
  const files = readdirSync(DATA, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".flac"),
  );
  expect(files.length).toBeGreaterThan(0);
  // Every fifth one: the rest differ in nothing but the speaker.
  for (const name of files.filter((_, i) => i % 5 === 0)) {
    const path = join(DATA, name);
    const samples = await readAudio(path);
    const integers = Int16Array.from(samples, (sample) => sample * 32768);
    const { md5 } = await readFlacInfo(path);
    expect(createHash("md5").update(integers).digest().equals(md5), name).toBe(true);
    expect((await readAudioInfo(path)).samplesAt16k, name).toBe(samples.length);
    // A part of it, found by its frames' numbers.
    const start = Math.floor(samples.length / 3);
    const part = await readAudio(path, { start: start / 16000, end: (start + 999) / 16000 });
    expect(part, name).toEqual(samples.slice(start, start + 999));
  }
});
