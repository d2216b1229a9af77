import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gather, sameBits } from "../../test/fixtures/gather-blocks.js";
import { temporaryDirectory } from "../../test/fixtures/temporary-directory.js";
import { Random } from "../data/random.js";
import { UserError } from "../errors.js";
import { readAudio, readAudioInfo } from "./audio-file.js";
import { streamAudio } from "./audio-stream.js";
import { encodeFlac } from "./flac/flac-writer.js";
import { encodeWav } from "./wav/wav.js";

async function file(name: string, bytes: Uint8Array | string): Promise<string> {
  const path = join(await temporaryDirectory("stream"), name);
  await writeFile(path, bytes);
  return path;
}

const random = new Random(8, "streams");
const noise = (length: number) =>
  Float32Array.from({ length }, () => (random.integer(60_000) - 30_000) / 32768);
const encoders = { flac: encodeFlac, wav: encodeWav };

describe("streamAudio", () => {
  it.each(["flac", "wav"] as const)("gives to the bit what readAudio gives of %s", async (format) => {
    for (const rate of [8000, 11_025, 16_000, 22_050, 44_100, 48_000])
      for (const length of [1, 159, 16_000, 40_000 + random.integer(300_000)]) {
        const path = await file(`clip.${format}`, encoders[format](noise(length), rate));
        const { samples, error, lengths } = await gather(streamAudio(path));
        expect(error).toBeUndefined();
        expect(sameBits(samples, await readAudio(path)), `${length} samples at ${rate} Hz`).toBe(true);
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
        const { samples } = await gather(streamAudio(path));
        expect(sameBits(samples, await readAudio(path)), `${channels} channels at ${rate} Hz`).toBe(true);
      }
  });

  it("gives what lies before damage in a FLAC file, then says where it is", async () => {
    const samples = noise(20 * 16_000);
    const bytes = encodeFlac(samples, 16_000);
    for (let i = 0; i < 10; i++) {
      const damaged = bytes.slice();
      const at = 1000 + random.integer(bytes.length - 1000);
      damaged[at]! ^= 1 + random.integer(255);
      const given = await gather(streamAudio(await file("damaged.flac", damaged)));
      expect(given.error).toBeInstanceOf(UserError);
      const [, seconds] = (given.error as Error).message.match(/could be decoded: .* up to ([\d.]+) s\.$/)!;
      expect(given.samples.length).toBe(Math.round(Number(seconds) * 16_000));
      expect(sameBits(given.samples, samples.subarray(0, given.samples.length))).toBe(true);
      // All frames before the damaged one, of 4,096 samples each.
      expect(given.samples.length).toBeGreaterThan((at / bytes.length) * samples.length - 3 * 4096);
    }
  });

  it("gives what lies before the end of a file that is cut off", async () => {
    const samples = noise(5 * 16_000 + 7);
    for (const format of ["flac", "wav"] as const) {
      const bytes = encoders[format](samples, 16_000);
      const path = await file(`cut.${format}`, bytes.subarray(0, Math.floor(bytes.length * 0.7)));
      const given = await gather(streamAudio(path));
      expect((given.error as Error).message).toMatch(/truncated.* It was read up to 3\.\d+ s\.$/);
      expect(given.samples.length).toBeGreaterThan(3 * 16_000);
      expect(sameBits(given.samples, samples.subarray(0, given.samples.length))).toBe(true);
    }
  });

  it("gives what lies before a sample that is not finite, and names it", async () => {
    const bytes = encodeWav(new Float32Array(2 * 40_000), 16_000);
    const view = new DataView(bytes.buffer);
    view.setUint16(20, 3, true); // float
    view.setUint16(32, 4, true);
    view.setUint16(34, 32, true); // of 32 bits: 40,000 samples
    view.setFloat32(44 + 4 * 20_000, Number.NEGATIVE_INFINITY, true);
    const path = await file("infinite.wav", bytes);
    const { error, lengths } = await gather(streamAudio(path));
    expect(lengths).toEqual([16_000, 4000]);
    expect((error as Error).message).toBe(
      `samples of ${path} must be finite, but sample 20000 is -Infinity. Record it again. It was read up to 1.25 s.`,
    );
  });

  it.each([
    ["empty.wav", "", "must be an audio file, but is empty (0 bytes)."],
    ["text.flac", "This is text.", 'but begins with "This". Convert it with: ffmpeg -i'],
    ["none.wav", encodeWav(new Float32Array(0), 16_000), "must hold audio, but holds 0 samples."],
    ["slow.flac", encodeFlac(new Float32Array(100), 999), "from 1000 to 768000 Hz, but is 999 Hz"],
  ])("refuses %s as readAudio does", async (name, bytes, reason) => {
    const path = await file(name, bytes);
    const { samples, error } = await gather(streamAudio(path));
    expect(samples).toHaveLength(0);
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).toContain(reason);
    await expect(readAudio(path)).rejects.toThrow((error as Error).message);
  });

  it("refuses a missing file and a directory", async () => {
    const directory = await temporaryDirectory("stream");
    const message = async (path: string) => ((await gather(streamAudio(path))).error as Error).message;
    const missing = join(directory, "missing.flac");
    expect(await message(missing)).toBe(`${missing} must be an audio file, but does not exist.`);
    expect(await message(directory)).toBe(`${directory} must be an audio file, but is a directory.`);
  });

  it("ends with the signal's reason", async () => {
    const path = await file("long.wav", encodeWav(new Float32Array(10 * 16_000), 16_000));
    const controller = new AbortController();
    const reason = new Error("enough");
    let blocks = 0;
    const stopped = (async () => {
      for await (const _ of streamAudio(path, { signal: controller.signal }))
        if (++blocks === 3) controller.abort(reason);
    })();
    await expect(stopped).rejects.toBe(reason);
    expect(blocks).toBeLessThan(10);
  });
});

describe("RF64", () => {
  /** A WAV file whose sizes stand in 64 bits: https://tech.ebu.ch/docs/tech/tech3306.pdf. */
  const rf64 = (samples: Float32Array, size: number) => {
    const wav = Buffer.from(encodeWav(samples, 16_000));
    wav.writeUInt32LE(0xffffffff, 40);
    const sizes = Buffer.alloc(36);
    sizes.write("ds64");
    sizes.writeUInt32LE(28, 4);
    sizes.writeBigUInt64LE(BigInt(size), 16);
    const bytes = Buffer.concat([wav.subarray(0, 12), sizes, wav.subarray(12)]);
    bytes.write("RF64");
    return bytes;
  };

  it("has the size of its samples in 64 bits", async () => {
    const samples = noise(20_000);
    const path = await file("long.wav", Buffer.concat([rf64(samples, 40_000), Buffer.from("LISTxxxx")]));
    expect(sameBits((await gather(streamAudio(path))).samples, samples)).toBe(true);
    expect(sameBits(await readAudio(path), samples)).toBe(true);
    expect((await readAudioInfo(path)).samples).toBe(20_000);
  });

  it("is refused where it is cut off, with a size that 32 bits do not hold", async () => {
    const path = await file("cut.wav", rf64(noise(20_000), 6e9));
    const { samples, error } = await gather(streamAudio(path));
    expect(samples).toHaveLength(20_000);
    const expected = `${path} must hold 6000000000 bytes of samples by its header, but only 40000 are there`;
    expect((error as Error).message).toContain(expected);
    await expect(readAudio(path)).rejects.toThrow(expected);
  });
});
