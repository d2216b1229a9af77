import { describe, expect, it } from "vitest";
import { UserError } from "../errors.js";
import { memorySource } from "./byte-source.js";
import { decodeWav, encodeWav } from "./wav.js";

/** A WAV file of these samples ([frames][channels]) with a "LIST" chunk of odd size before the samples. */
function wav(
  frames: number[][],
  bits: 8 | 16 | 24 | 32 | 64,
  { float = false, extensible = false } = {},
): Uint8Array {
  const channels = frames[0]!.length;
  const sampleBytes = bits / 8;
  const formatSize = extensible ? 40 : 16;
  const bytes = new Uint8Array(12 + 8 + formatSize + 8 + 4 + 8 + frames.length * channels * sampleBytes);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const text = (value: string) => {
    for (const character of value) view.setUint8(at++, character.charCodeAt(0));
  };
  const number = (value: number, size: 2 | 4) => {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  };
  text("RIFF");
  number(bytes.length - 8, 4);
  text("WAVEfmt ");
  number(formatSize, 4);
  const code = float ? 3 : 1;
  number(extensible ? 0xfffe : code, 2);
  number(channels, 2);
  number(16000, 4);
  number(16000 * channels * sampleBytes, 4);
  number(channels * sampleBytes, 2);
  number(bits, 2);
  if (extensible) {
    number(22, 2);
    number(bits, 2);
    number(0, 4);
    number(code, 2);
    at += 14; // the rest of the GUID
  }
  text("LIST");
  number(3, 4);
  at += 4; // padded
  text("data");
  number(frames.length * channels * sampleBytes, 4);
  for (const sample of frames.flat()) {
    if (bits === 8) view.setUint8(at, sample);
    else if (bits === 16) view.setInt16(at, sample, true);
    else if (bits === 24) {
      view.setInt16(at, sample & 0xffff, true);
      view.setInt8(at + 2, sample >> 16);
    } else if (bits === 32) float ? view.setFloat32(at, sample, true) : view.setInt32(at, sample, true);
    else view.setFloat64(at, sample, true);
    at += sampleBytes;
  }
  return bytes;
}

describe("decodeWav", () => {
  it.each([
    ["8-bit PCM", wav([[0], [128], [255]], 8), [[-1, 0, 127 / 128]]],
    ["16-bit PCM", wav([[-32768], [1], [32767]], 16), [[-1, 1 / 32768, 32767 / 32768]]],
    ["24-bit PCM", wav([[-(2 ** 23)], [-2], [2 ** 23 - 1]], 24), [[-1, -2 / 2 ** 23, 1 - 2 ** -23]]],
    ["32-bit PCM", wav([[-(2 ** 31)], [2 ** 30], [256]], 32), [[-1, 0.5, 2 ** -23]]],
    ["32-bit float", wav([[-1.5], [0.25]], 32, { float: true }), [[-1.5, 0.25]]],
    ["64-bit float", wav([[-1.5], [0.25]], 64, { float: true }), [[-1.5, 0.25]]],
    [
      "stereo",
      wav(
        [
          [16384, -16384],
          [8192, 0],
        ],
        16,
      ),
      [
        [0.5, 0.25],
        [-0.5, 0],
      ],
    ],
    ["extensible PCM", wav([[16384, -16384]], 16, { extensible: true }), [[0.5], [-0.5]]],
    ["extensible float", wav([[0.125]], 32, { float: true, extensible: true }), [[0.125]]],
  ])("reads %s", (_, bytes, expected) => {
    const { channelData, sampleRate } = decodeWav(memorySource(bytes), "x.wav");
    expect(sampleRate).toBe(16000);
    expect(channelData.map((channel) => [...channel])).toEqual(expected);
  });

  it("reads what a pipe wrote, without a size", () => {
    const bytes = wav([[16384], [8192]], 16);
    new DataView(bytes.buffer).setUint32(bytes.length - 8, 0xffffffff, true);
    expect([...decodeWav(memorySource(bytes), "x.wav").channelData[0]!]).toEqual([0.5, 0.25]);
  });

  it("refuses a file cut anywhere", () => {
    const whole = wav(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      16,
      { extensible: true },
    );
    for (let length = 0; length < whole.length; length++) {
      const decode = () => decodeWav(memorySource(whole.slice(0, length)), "cut.wav");
      expect(decode, `cut at ${length}`).toThrow(UserError);
      expect(decode).toThrow("cut.wav");
    }
  });

  it("refuses other encodings", () => {
    const bytes = wav([[0]], 16);
    new DataView(bytes.buffer).setUint16(20, 6, true); // A-law
    expect(() => decodeWav(memorySource(bytes), "x.wav")).toThrow(
      "but holds format 6 with 16 bits. Convert it with: ffmpeg",
    );
  });
});

it("encodeWav writes 16-bit PCM", () => {
  const samples = Float32Array.of(0, 0.5, -1, 1, -0.25);
  const { channelData, sampleRate } = decodeWav(memorySource(encodeWav(samples, 22050)), "x.wav");
  expect(sampleRate).toBe(22050);
  expect([...channelData[0]!]).toEqual([0, 0.5, -1, 32767 / 32768, -0.25]);
});
