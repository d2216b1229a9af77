import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { gather, sameBits } from "../../test/fixtures/gather-blocks.js";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { Random } from "../data/random.js";
import { readAudio } from "./audio-file.js";
import { streamAudio } from "./audio-stream.js";
import { encodeWav } from "./wav/wav.js";

const RATE = 8000;
const random = new Random(3, "channels");
const noise = (seconds: number, level = 0.3) =>
  Float32Array.from({ length: seconds * RATE }, () => level * (random.uniform() - 0.5));

/** What a file of these channels gives, read whole, in blocks and through pipes, which must be the same. */
async function read(...channels: Float32Array[]): Promise<string> {
  const interleaved = new Float32Array(channels.length * channels[0]!.length);
  for (const [c, samples] of channels.entries())
    for (const [i, sample] of samples.entries()) interleaved[i * channels.length + c] = sample;
  const bytes = encodeWav(interleaved, RATE);
  new DataView(bytes.buffer).setUint16(22, channels.length, true);
  const path = join(await temporaryDirectory("channels"), "two channels.wav");
  await writeFile(path, bytes);
  const whole = await readAudio(path).catch((error: Error) => error);
  const raw = { encoding: "s16le", sampleRate: RATE, channels: channels.length } as const;
  const streams = [
    await gather(streamAudio(path)),
    await gather(streamAudio(Readable.from([bytes]))),
    await gather(streamAudio(Readable.from([bytes.subarray(44)]), { raw })),
  ];
  for (const { samples, error } of streams)
    if (whole instanceof Error) expect((error as Error).message).toContain("cancel each other out");
    else expect([error, sameBits(samples, whole)]).toEqual([undefined, true]);
  return whole instanceof Error ? whole.message : "read";
}

const negative = (samples: Float32Array, gain = -1) => samples.map((sample) => sample * gain);
const join2 = (...parts: Float32Array[]) => Float32Array.from(parts.flatMap((part) => [...part]));

it("channels that are each other's negative are refused, with the command that takes one", async () => {
  const speech = noise(4);
  expect(await read(speech, negative(speech))).toMatch(
    /two channels\.wav must have channels that can be averaged, but its 2 channels cancel each other out\. Take one of them: ffmpeg -i '.*two channels\.wav' -af 'pan=mono\|c0=c0' OUTPUT\.flac$/,
  );
  expect(await read(speech, negative(speech, -0.9))).toContain("its 2 channels cancel");
  expect(await read(speech, negative(speech), speech, negative(speech))).toContain("its 4 channels cancel");
  const offset = negative(speech).map((sample) => sample + 0.2);
  expect(await read(speech, offset)).toContain("its 2 channels cancel");
});

it("so are those of which a part does", async () => {
  const [before, after] = [noise(6), noise(3)];
  expect(await read(join2(before, after), join2(before, negative(after)))).toContain("cancel each other out");
  const long = noise(40);
  const later = noise(120, 0.6);
  expect(await read(join2(long, later), join2(negative(long), later))).toContain("cancel each other out");
});

it("other channels are averaged", async () => {
  const [left, right] = [noise(4), noise(4)];
  expect(await read(left, right)).toBe("read");
  expect(await read(left, left)).toBe("read");
  expect(await read(left, new Float32Array(left.length))).toBe("read");
  expect(await read(left, negative(left, -0.5))).toBe("read");
  expect(await read(new Float32Array(left.length), new Float32Array(left.length))).toBe("read");
  // Hum of opposite signs in pauses, which averaging takes away.
  const hum = noise(40, 0.02);
  expect(await read(join2(left, hum), join2(left, negative(hum)))).toBe("read");
});
