import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../data/random.js";
import { UserError } from "../errors.js";
import { readAudio, readAudioInfo } from "./audio-file.js";
import { encodeFlac } from "./flac/flac-writer.js";
import { resample } from "./resampling/resample.js";
import { encodeWav } from "./wav/wav.js";

describe("readAudio", () => {
  const samples = Float32Array.from({ length: 500 }, (_, i) => Math.round(9000 * Math.sin(i / 5)) / 32768);
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "audio-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
  const file = async (name: string, bytes: Uint8Array | string) => {
    const path = join(directory, name);
    await writeFile(path, bytes);
    return path;
  };

  it("tells FLAC and WAV apart by content, not by name", async () => {
    expect(await readAudio(await file("a.wav", encodeFlac(samples, 16000)))).toEqual(samples);
    expect(await readAudio(await file("b.flac", encodeWav(samples, 16000)))).toEqual(samples);
  });

  it("reads the bytes of a file as the file", async () => {
    const random = new Random(1, "bytes");
    const path = join(directory, "bytes.flac");
    await writeFile(
      path,
      encodeFlac(
        Float32Array.from({ length: 5000 }, () => random.uniform() - 0.5),
        8000,
      ),
    );
    const bytes = await readFile(path);
    expect(await readAudio(bytes)).toEqual(await readAudio(path));
    const part = { start: 0.1, end: 0.2 };
    expect(await readAudio(new Uint8Array(bytes), part)).toEqual(await readAudio(path, part));
    await expect(readAudio(bytes.subarray(0, bytes.length - 100))).rejects.toThrow(/^the audio file must/);
    await expect(readAudio(3 as unknown as string)).rejects.toThrow("The audio must be a path, a URL");
  });

  it("averages the channels", async () => {
    const stereo = encodeWav(Float32Array.of(0.5, -0.25, 0.125, 0.125), 16000);
    stereo[22] = 2; // two channels of two samples
    expect([...(await readAudio(await file("stereo.wav", stereo)))]).toEqual([0.125, 0.125]);
  });

  it("resamples other rates", async () => {
    const path = await file("cd.flac", encodeFlac(samples, 44100));
    expect(await readAudio(path)).toEqual(resample(samples, 44100, 16000));
    expect(await readAudio(path)).toHaveLength(Math.ceil((500 * 16000) / 44100));
  });

  it("refuses a rate that is none", async () => {
    const path = await file("slow.flac", encodeFlac(samples, 999));
    for (const read of [readAudio, readAudioInfo])
      await expect(read(path)).rejects.toThrow(
        `sample rate of ${path} must be from 1000 to 768000 Hz, but is 999 Hz`,
      );
  });

  it("refuses samples that are not finite", async () => {
    const bytes = encodeWav(new Float32Array(8), 16000);
    const view = new DataView(bytes.buffer);
    view.setUint16(20, 3, true); // float
    view.setUint16(32, 4, true);
    view.setUint16(34, 32, true); // of 32 bits: 4 samples
    view.setFloat32(44 + 8, Number.NaN, true);
    const path = await file("nan.wav", bytes);
    await expect(readAudio(path)).rejects.toThrow(`samples of ${path} must be finite, but sample 2 is NaN.`);
  });

  it.each([
    ["empty.flac", "", "must be an audio file, but is empty (0 bytes)"],
    [
      "notes.flac",
      "These are notes.",
      'must be FLAC, WAV, MP3, Ogg (Opus, Vorbis or FLAC), WebM with Opus or NIST SPHERE, but begins with "Thes"',
    ],
    ["none.wav", encodeWav(new Float32Array(0), 16000), "must hold audio, but holds 0 samples"],
    [
      "cut.flac",
      encodeFlac(samples, 16000).subarray(0, 200),
      "is truncated or corrupt|no sample could be decoded",
    ],
  ])("refuses %s", async (name, bytes, reason) => {
    const path = await file(name, bytes);
    await expect(readAudio(path)).rejects.toThrow(UserError);
    await expect(readAudio(path)).rejects.toThrow(path);
    await expect(readAudio(path)).rejects.toThrow(new RegExp(reason.replace(/[()]/g, "\\$&")));
  });

  it("refuses a missing file and a directory", async () => {
    const path = join(directory, "missing.flac");
    for (const read of [readAudio, readAudioInfo]) {
      await expect(read(path)).rejects.toThrow(`${path} must be an audio file, but does not exist.`);
      await expect(read(directory)).rejects.toThrow(
        `${directory} must be an audio file, but is a directory.`,
      );
    }
  });
});

describe("a part of a file", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "audio-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  // 40 s of noise: longer than what is read ahead, and than the windows of the search.
  const random = new Random(5, "parts");
  const noise = Float32Array.from(
    { length: 640_000 },
    () => Math.round(60000 * (random.uniform() - 0.5)) / 32768,
  );
  const encoders = { flac: encodeFlac, wav: encodeWav };

  it.each(["flac", "wav"] as const)("is what the whole %s file has there", async (format) => {
    const path = join(directory, `long clip ü.${format}`);
    await writeFile(path, encoders[format](noise, 16000));
    const whole = await readAudio(path);
    const bytes = (samples: Float32Array) =>
      Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
    expect(bytes(whole).equals(bytes(noise))).toBe(true);
    const ranges: [number, number][] = [
      [0, 640_000],
      [0, 1],
      [639_999, 640_000],
      [4096, 8192],
      [4095, 8193],
    ];
    for (let i = 0; i < 60; i++) {
      const from = random.integer(639_000);
      ranges.push([from, from + 1 + random.integer(i % 2 ? 1000 : 640_000 - from)]);
    }
    for (const [from, to] of ranges) {
      const part = await readAudio(path, { start: from / 16000, end: to / 16000 });
      expect(part.length, `${from} to ${to}`).toBe(to - from);
      expect(bytes(part).equals(bytes(whole.subarray(from, to))), `${from} to ${to}`).toBe(true);
    }
    expect(await readAudio(path, { start: 39 })).toHaveLength(16000);
    expect(await readAudio(path, { end: 0.5 })).toHaveLength(8000);
  });

  it("must lie within the file", async () => {
    const path = join(directory, "short.flac");
    await writeFile(path, encodeFlac(noise.subarray(0, 16000), 16000));
    const bad = [
      [0, 1.001],
      [-0.1, 0.5],
      [0.5, 0.5],
      [0.7, 0.5],
      [1, undefined],
      [Number.NaN, 1],
      [0, Number.NaN],
      [0, Number.POSITIVE_INFINITY],
    ] as const;
    for (const [start, end] of bad)
      await expect(readAudio(path, { start, end }), `${start} to ${end}`).rejects.toThrow(
        `the part of ${path} must lie within its 1 s`,
      );
  });

  it("is refused where it is damaged, and read where the rest is", async () => {
    const path = join(directory, "damaged.flac");
    const bytes = encodeFlac(noise, 16000);
    bytes[Math.floor(bytes.length / 2)]! ^= 1; // at 20 s
    await writeFile(path, bytes);
    expect(await readAudio(path, { start: 5, end: 5.1 })).toEqual(noise.slice(80_000, 81_600));
    expect(await readAudio(path, { start: 39.9 })).toEqual(noise.slice(638_400));
    for (const range of [{ start: 19, end: 21 }, { start: 1 }, {}])
      await expect(readAudio(path, range)).rejects.toThrow(UserError);
  });
});
