import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../data/random.js";
import { readAudio } from "./audio-file.js";
import { streamAudio } from "./audio-stream.js";
import { encodeFlac } from "./flac-writer.js";
import { encodeWav } from "./wav.js";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stream-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));
const file = async (name: string, bytes: Uint8Array | string) => {
  const path = join(directory, name);
  await writeFile(path, bytes);
  return path;
};

/** What a stream gives, one block behind the other, and what it throws. */
async function gather(blocks: AsyncIterable<Float32Array>) {
  const parts: Float32Array[] = [];
  let error: unknown;
  try {
    for await (const block of blocks) parts.push(block);
  } catch (thrown) {
    error = thrown;
  }
  const samples = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { samples, error, lengths: parts.map((part) => part.length) };
}

const random = new Random(8, "streams");
const noise = (length: number) =>
  Float32Array.from({ length }, () => Math.round(60000 * (random.uniform() - 0.5)) / 32768);

describe("streamAudio", () => {
  const encoders = { flac: encodeFlac, wav: encodeWav };

  it.each(["flac", "wav"] as const)("gives to the bit what readAudio gives of %s", async (format) => {
    for (const rate of [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
      for (const length of [1, 159, 16_000, 40_000 + random.integer(500_000)]) {
        const path = await file(`whole.${format}`, encoders[format](noise(length), rate));
        const { samples, error, lengths } = await gather(streamAudio(path));
        expect(error).toBeUndefined();
        expect(samples, `${length} samples at ${rate} Hz`).toEqual(await readAudio(path));
        expect(lengths.slice(0, -1).every((block) => block === 16_000)).toBe(true);
        expect(lengths.at(-1)).toBeGreaterThan(0);
      }
  });

  it("averages up to six channels", async () => {
    for (const channels of [1, 2, 3, 4, 5, 6])
      for (const rate of [16_000, 44_100]) {
        const bytes = encodeWav(noise(channels * (70_000 + random.integer(1000))), rate);
        bytes[22] = channels;
        const path = await file("channels.wav", bytes);
        expect((await gather(streamAudio(path))).samples).toEqual(await readAudio(path));
      }
  });
});
