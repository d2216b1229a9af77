import { PassThrough, Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { gather, sameBits } from "../../test/fixtures/gather-blocks.js";
import { Random } from "../data/random.js";
import { UserError } from "../errors.js";
import { streamAudio } from "./audio-stream.js";
import { encodeFlac } from "./flac/flac-writer.js";
import { resample } from "./resampling/resample.js";
import type { RawEncoding, RawFormat } from "./wav/raw-format.js";
import { encodeWav } from "./wav/wav.js";

const random = new Random(11, "pipes");
const noise = (length: number) =>
  Float32Array.from({ length }, () => (random.integer(60_000) - 30_000) / 32768);

/** Bytes in pieces of up to `longest`. */
function pipe(bytes: Uint8Array, longest = 5000): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length)
    pieces.push(bytes.subarray(at, at + 1 + random.integer(longest)));
  return Readable.from(pieces);
}

const message = ({ error }: { error: unknown }) => {
  expect(error).toBeInstanceOf(UserError);
  return (error as Error).message;
};

describe("a pipe", () => {
  it.each([
    [
      { encoding: "s16be", sampleRate: 16000, channels: 1 },
      "encoding of raw audio must be one of u8, s16le,",
    ],
    [{ encoding: "s16le", sampleRate: 10, channels: 1 }, "sample rate of raw audio must be"],
    [{ encoding: "s16le", sampleRate: 16000, channels: 1e9 }, "channels of raw audio must be"],
  ])("is closed where its format is refused: %j", async (raw, expected) => {
    const readable = pipe(new Uint8Array(64_000));
    const reading = gather(streamAudio(readable, { raw: raw as RawFormat }));
    await expect(reading.then(message)).resolves.toContain(expected);
    expect(readable.destroyed).toBe(true);
  });
});

describe("a WAV file through a pipe", () => {
  const samples = noise(50_000);
  const sized = (size: number) => {
    const bytes = Buffer.from(encodeWav(samples, 16_000));
    bytes.writeUInt32LE(size, 40);
    return bytes;
  };

  // As GStreamer, SoX, arecord and FFmpeg write it.
  it.each([0, 0x7ffff000, 0x80000000, 0xffffffff])(
    "goes on to its end where its size is %i",
    async (size) => {
      const given = await gather(streamAudio(pipe(sized(size))));
      expect(given.error).toBeUndefined();
      expect(sameBits(given.samples, samples)).toBe(true);
      expect(Math.max(...given.lengths)).toBeLessThanOrEqual(16_000);
      expect(Math.min(...given.lengths.slice(0, -1))).toBeGreaterThanOrEqual(320);
    },
  );

  it("may end within a sample where its size is unknown", async () => {
    const given = await gather(streamAudio(pipe(sized(0).subarray(0, 44 + 2 * 1000 + 1))));
    expect(given.error).toBeUndefined();
    expect(sameBits(given.samples, samples.subarray(0, 1000))).toBe(true);
  });

  it("ends where its size says, or is refused", async () => {
    expect((await gather(streamAudio(pipe(sized(8000))))).samples).toHaveLength(4000);
    const cut = await gather(streamAudio(pipe(sized(100_000).subarray(0, 50_044))));
    expect(message(cut)).toContain(
      "the audio stream must hold 100000 bytes of samples by its header, but only 50000",
    );
    expect(sameBits(cut.samples, samples.subarray(0, 25_000))).toBe(true);
  });
});

describe("raw samples through a pipe", () => {
  // Two channels, of which the second is half as loud.
  const left = noise(9000);
  const writers: Record<RawEncoding, [number, (bytes: DataView, at: number, sample: number) => void]> = {
    u8: [1, (bytes, at, sample) => bytes.setUint8(at, Math.round(sample * 128) + 128)],
    s16le: [2, (bytes, at, sample) => bytes.setInt16(at, Math.round(sample * 32768), true)],
    s24le: [
      3,
      (bytes, at, sample) => {
        bytes.setUint16(at, Math.round(sample * 2 ** 23) & 0xffff, true);
        bytes.setInt8(at + 2, Math.round(sample * 2 ** 23) >> 16);
      },
    ],
    s32le: [4, (bytes, at, sample) => bytes.setInt32(at, Math.round(sample * 2 ** 31), true)],
    f32le: [4, (bytes, at, sample) => bytes.setFloat32(at, sample, true)],
  };

  it.each(Object.keys(writers) as RawEncoding[])("are read as %s at any rate", async (encoding) => {
    const [size, write] = writers[encoding];
    const view = new DataView(new ArrayBuffer(2 * size * left.length + 1)); // and a part of a sample
    for (const [i, sample] of left.entries()) {
      write(view, 2 * size * i, sample);
      write(view, 2 * size * i + size, sample / 2);
    }
    for (const sampleRate of [16_000, 44_100]) {
      const bytes = new Uint8Array(view.buffer);
      const given = await gather(streamAudio(pipe(bytes), { raw: { encoding, sampleRate, channels: 2 } }));
      expect(given.error).toBeUndefined();
      const expected = resample(
        left.map((sample) => sample * 0.75),
        sampleRate,
        16_000,
      );
      expect(given.samples).toHaveLength(expected.length);
      const difference = expected.reduce(
        (most, sample, i) => Math.max(most, Math.abs(sample - given.samples[i]!)),
        0,
      );
      expect(difference).toBeLessThan(encoding === "u8" ? 0.02 : 1e-4);
    }
  });

  it("must have a rate and channels", async () => {
    for (const raw of [
      { encoding: "s16le", sampleRate: 0, channels: 1 },
      { encoding: "s16le", sampleRate: 16_000, channels: 0 },
    ] as const)
      expect(message(await gather(streamAudio(pipe(new Uint8Array(8)), { raw })))).toContain(
        "of raw audio must be",
      );
  });
});

describe("a pipe of any kind", () => {
  it("hands over what is there, without waiting for a second of it", async () => {
    const samples = noise(4000);
    for (const bytes of [encodeWav(samples, 16_000), encodeWav(samples, 16_000).subarray(44)]) {
      const isRaw = bytes.length === 8000;
      const through = new PassThrough();
      const blocks = streamAudio(
        through,
        isRaw ? { raw: { encoding: "s16le", sampleRate: 16_000, channels: 1 } } : {},
      );
      let given = 0;
      for (let at = 0; at < bytes.length; at += 1044) {
        through.write(bytes.subarray(at, at + 1044));
        // Nothing more is written before this is there: a reader that waits for it would wait for ever.
        given += (await blocks.next()).value!.length;
        expect(given).toBe(Math.floor((Math.min(at + 1044, bytes.length) - (isRaw ? 0 : 44)) / 2));
      }
      through.end();
      expect((await blocks.next()).done).toBe(true);
    }
  });

  it("tells other formats by their content", async () => {
    const samples = noise(30_000);
    const { samples: given } = await gather(streamAudio(pipe(encodeFlac(samples, 16_000))));
    expect(sameBits(given, samples)).toBe(true);
  });

  it("refuses what is empty, no audio, or without samples", async () => {
    const refused = async (bytes: Uint8Array, name?: string) =>
      message(await gather(streamAudio(pipe(bytes), { name })));
    expect(await refused(new Uint8Array(0))).toBe("the audio stream must be audio, but is empty (0 bytes).");
    expect(await refused(Buffer.from("Hello, this is text.\n"))).toBe(
      'the audio stream must be FLAC, WAV, MP3, Ogg (Opus, Vorbis or FLAC), WebM with Opus or NIST SPHERE, but begins with "Hell". ' +
        "Convert it with: ffmpeg -i INPUT -f wav -",
    );
    expect(await refused(encodeWav(new Float32Array(0), 16_000), "the pipe")).toBe(
      "the pipe must hold audio, but holds 0 samples.",
    );
    const raw = { encoding: "s16le", sampleRate: 16_000, channels: 1 } as const;
    expect(message(await gather(streamAudio(pipe(new Uint8Array(1)), { raw })))).toContain(
      "but holds 0 samples",
    );
  });

  it("ends with the signal's reason while the pipe is silent", async () => {
    const controller = new AbortController();
    const through = new PassThrough();
    through.write(encodeWav(noise(1000), 16_000));
    const blocks = streamAudio(through, { signal: controller.signal });
    expect((await blocks.next()).value).toHaveLength(1000);
    const waiting = blocks.next();
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("says why a pipe broke", async () => {
    const through = new PassThrough();
    through.write(encodeWav(noise(1000), 16_000).subarray(0, 1044));
    setImmediate(() => through.destroy(new Error("the cable was pulled")));
    const given = await gather(streamAudio(through));
    expect(message(given)).toContain(
      "the audio stream must be readable, but cannot be read: the cable was pulled",
    );
  });
});
