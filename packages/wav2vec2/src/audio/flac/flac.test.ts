import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { UserError } from "../../errors.js";
import { crc16 } from "./crc.js";
import { decodeFlac, readFlacInfo } from "./flac.js";
import { encodeFlac } from "./flac-writer.js";

const decode = async (bytes: Uint8Array, name: string) => decodeFlac(bytes, name);
const made: string[] = [];
afterAll(() => Promise.all(made.map((directory) => rm(directory, { recursive: true, force: true }))));

async function scratch(): Promise<string> {
  made.push(await mkdtemp(join(tmpdir(), "flac-")));
  return made.at(-1)!;
}

function noise(length: number, random: Random, amplitude = 65536): Int16Array {
  return Int16Array.from({ length }, () => Math.floor((random.uniform() - 0.5) * amplitude));
}

function tone(length: number): Int16Array {
  return Int16Array.from({ length }, (_, i) => Math.round(20000 * Math.sin(i / 40) + 50 * Math.sin(i * 1.9)));
}

/** Where the decoded samples are not the integers / 32768; -1 where they all are. */
function firstDifference(decoded: Float32Array, integers: Int16Array): number {
  if (decoded.length !== integers.length) return Math.min(decoded.length, integers.length);
  return decoded.findIndex((sample, i) => sample !== integers[i]! / 32768);
}

describe("encodeFlac and decodeFlac", () => {
  const random = new Random(1, "flac");
  const signals: [string, Int16Array][] = [
    ["one sample", Int16Array.of(-5)],
    ["two samples", Int16Array.of(32767, -32768)],
    ["the extremes", Int16Array.from({ length: 5000 }, (_, i) => (i % 2 ? 32767 : -32768))],
    ["silence", new Int16Array(9000)],
    [
      "speech between silences",
      Int16Array.from([...new Int16Array(5000), ...tone(5000), ...new Int16Array(5000)]),
    ],
    ["whole blocks", tone(8192)],
    ["white noise", noise(10000, random)],
    ["faint noise", noise(10000, random, 6)],
    ["more than 127 frames", tone(4096 * 130 + 1)],
    ...Array.from({ length: 40 }, (_, i): [string, Int16Array] => {
      const length = 1 + random.integer(i < 20 ? 40 : 13000);
      return [`${length} random samples`, noise(length, random, 2 ** random.integer(17))];
    }),
  ];
  it.each(signals)("keeps %s to the last bit", async (_, samples) => {
    const { channelData, sampleRate } = await decode(encodeFlac(samples, 16000), "x.flac");
    expect(sampleRate).toBe(16000);
    expect(channelData).toHaveLength(1);
    expect(firstDifference(channelData[0]!, samples)).toBe(-1);
  });

  it("compresses what can be predicted", () => {
    expect(encodeFlac(tone(16000), 16000).length).toBeLessThan(16000 * 2 * 0.6);
    expect(encodeFlac(new Int16Array(16000), 16000).length).toBeLessThan(150);
    expect(encodeFlac(noise(16000, random), 16000).length).toBeLessThan(16000 * 2 + 150);
  });

  it("rounds and clips floats", async () => {
    const { channelData } = await decode(encodeFlac(Float32Array.of(0.5, 1, -1, -2, 1e-5), 8000), "x.flac");
    expect([...channelData[0]!]).toEqual([0.5, 32767 / 32768, -1, -1, 0]);
    expect(() => encodeFlac(Float32Array.of(0, Number.NaN), 8000)).toThrow("sample 1 is NaN");
    expect(() => encodeFlac(Float32Array.of(0), 96000)).toThrow("96000");
  });

  it("reads 24-bit stereo as libsndfile wrote it", async () => {
    const file = Buffer.from(STEREO_24_BIT, "base64");
    const { channelData, sampleRate } = await decode(file, "x.flac");
    expect(sampleRate).toBe(48000);
    expect(channelData.map((channel) => Array.from(channel, (sample) => sample * 2 ** 23))).toEqual(
      STEREO_24_BIT_SAMPLES,
    );
  });

  it("decodes many files at once", async () => {
    const files = Array.from({ length: 20 }, (_, i) => noise(3000 + i, new Random(i)));
    const decoded = await Promise.all(files.map((samples) => decode(encodeFlac(samples, 16000), "x.flac")));
    for (const [i, { channelData }] of decoded.entries())
      expect(firstDifference(channelData[0]!, files[i]!)).toBe(-1);
  });
});

describe("decodeFlac on damaged files", () => {
  const whole = encodeFlac(tone(10000), 16000);

  it("refuses a file cut anywhere", async () => {
    for (let length = 1; length < whole.length; length += length < 60 ? 1 : 211) {
      const decoding = decode(whole.subarray(0, length), "cut.flac");
      await expect(decoding, `cut at ${length}`).rejects.toThrow(UserError);
      await expect(decoding).rejects.toThrow("cut.flac");
    }
    await expect(decode(whole.subarray(0, -1), "cut.flac")).rejects.toThrow(
      "cut.flac must be whole (10000 samples by its header), but only 8192 samples could be decoded: " +
        "the file is truncated or corrupt.",
    );
  });

  it("refuses a file with any byte of its audio changed, and reads the next one", async () => {
    const random = new Random(2, "damage");
    for (let i = 0; i < 60; i++) {
      const damaged = whole.slice();
      const at = 42 + random.integer(whole.length - 42);
      damaged[at]! ^= 1 + random.integer(255);
      await expect(decode(damaged, "bad.flac"), `byte ${at}`).rejects.toThrow("bad.flac");
    }
    expect((await decode(whole, "x.flac")).channelData[0]).toHaveLength(10000);
  });

  it("refuses audio that is not the one of the header's MD5", async () => {
    const other = encodeFlac(
      tone(10000).map((sample) => sample + 1),
      16000,
    );
    other.set(whole.subarray(26, 42), 26);
    await expect(decode(other, "swapped.flac")).rejects.toThrow("swapped.flac must match the MD5");
  });

  it("refuses frames whose checksums are right and whose content is not, and reads the next file", async () => {
    const forged = encodeFlac(tone(100), 16000);
    const frame = forged.subarray(42);
    frame[10] = 0b00000100; // a reserved subframe type
    const checksum = crc16(frame.subarray(0, -2));
    frame.set([checksum >> 8, checksum & 255], frame.length - 2);
    const decodings = [decode(forged, "forged.flac"), decode(whole, "x.flac"), decode(forged, "again.flac")];
    const [first, second, third] = await Promise.allSettled(decodings);
    expect(first).toMatchObject({ status: "rejected", reason: expect.any(UserError) });
    expect(second!.status).toBe("fulfilled");
    expect(third!.status).toBe("rejected");
    expect((await decode(whole, "x.flac")).channelData[0]).toHaveLength(10000);
  });

  it("refuses an empty file, text, and a header without audio", async () => {
    await expect(decode(new Uint8Array(0), "a.flac")).rejects.toThrow(
      "a.flac must be a FLAC file, but is empty",
    );
    const text = new TextEncoder().encode("hello world, this is no audio at all, however long it may be");
    await expect(decode(text, "b.flac")).rejects.toThrow(
      'b.flac must be a FLAC file, but begins with "hell"',
    );
    await expect(decode(encodeFlac(new Int16Array(0), 16000), "c.flac")).rejects.toThrow(
      "c.flac must hold audio",
    );
  });
});

describe("readFlacInfo", () => {
  it("reads the header alone", async () => {
    const path = join(await scratch(), "x.flac");
    await writeFile(path, encodeFlac(tone(12345), 22050).subarray(0, 42));
    const info = await readFlacInfo(path);
    expect(info).toMatchObject({ sampleRate: 22050, channels: 1, bitsPerSample: 16, samples: 12345 });
    expect(info.md5).toHaveLength(16);
  });

  it("names the file and the reason", async () => {
    const directory = await scratch();
    const path = join(directory, "x.flac");
    await expect(readFlacInfo(path)).rejects.toThrow(`${path} must be a FLAC file, but does not exist.`);
    await expect(readFlacInfo(directory)).rejects.toThrow(
      `${directory} must be a FLAC file, but is a directory.`,
    );
    await writeFile(path, "");
    await expect(readFlacInfo(path)).rejects.toThrow(`${path} must be a FLAC file, but is empty (0 bytes).`);
    await writeFile(path, encodeFlac(tone(100), 16000).subarray(0, 20));
    await expect(readFlacInfo(path)).rejects.toThrow(
      `${path} must hold a FLAC header of 42 bytes, but ends after 20.`,
    );
    await writeFile(path, encodeFlac(tone(100), 16000).fill(0, 4, 42));
    await expect(readFlacInfo(path)).rejects.toThrow("its header is corrupt");
  });
});

// Written by libsndfile 1.2 (Python's soundfile): 12 samples, 24 bits, 2 channels, 48 kHz.
const STEREO_24_BIT =
  "ZkxhQwAAACIQABAAAABTAABTC7gDcAAAAAx9oeUpwqeeDdQRVNYDb6I9hAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMyAyMDIzMDYyMwAAAAD/+GocAAsfAoAAAAAAARQK+VVqJ443Ucj6J2mhrP/yBqGmGZ58OVED3NdzUgJ///////9Gk1a5py3M17JfoTKBWRFSPAZMDL33ypXNk4jHRuYDhA==";
const STEREO_24_BIT_SAMPLES = [
  [-8388608, 1, 1313529, 5597735, -7456943, -3605977, 6922668, -3578, -6183399, -6390727, 5309404, -2657454],
  [
    8388607, -1, 4625238, -4610259, -3352654, 6267186, -8300271, 5389318, 4983997, -537963, -3304568,
    -3717402,
  ],
];
