import { describe, expect, it } from "vitest";
import { readings as readingsOf } from "../../../test/formats/audio-readings.js";
import { UserError } from "../../errors.js";
import { memorySource } from "../sources/byte-source.js";
import { decodeWav, encodeWav } from "./wav.js";
import { isOpenSize } from "./wav-sizes.js";

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

const readings = async (bytes: Uint8Array) => {
  const { samples, error, notes } = await readingsOf(bytes, "x.wav");
  return samples ? { samples: [...samples], notes } : { error, notes };
};

const ramp = Array.from({ length: 9000 }, (_, i) => i);
const ramped = ramp.map((i) => i / 32768);
const whole = wav(
  ramp.map((i) => [i]),
  16,
);

describe("what stands behind the samples", () => {
  const chunk = (id: string, body: Uint8Array | string) => {
    const bytes = Buffer.from(body);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([Buffer.from(id), size, bytes, Buffer.alloc(bytes.length % 2)]);
  };
  const id3v2 = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\x02\0"), Buffer.alloc(256, "RIFF")]);
  const harmless: [string, Buffer][] = [
    [
      "chunks",
      Buffer.concat([chunk("LIST", "INFOINAM"), chunk("id3 ", id3v2), chunk("bext", "x"), chunk("cue ", "")]),
    ],
    ["a chunk that is cut off", chunk("LIST", Buffer.alloc(99)).subarray(0, 40)],
    [
      "a chunk without the padding of the one before",
      Buffer.concat([chunk("LIST", "abc").subarray(0, 11), chunk("bext", "y")]),
    ],
    ["tags", Buffer.concat([id3v2, Buffer.from("TAG"), Buffer.alloc(125, "RIFF")])],
    ["zeros", Buffer.alloc(70_000)],
    ["a few bytes of anything", Buffer.from("\x01\x02\x03\xff", "latin1")],
  ];
  it.each(harmless)("is no harm where it is %s", async (_, behind) => {
    expect(await readings(Buffer.concat([whole, behind]))).toEqual({ samples: ramped, notes: [] });
  });

  it.each([
    ["another file", whole, "another WAV file begins, at byte 18056. Take them apart: head -c 18056"],
    [
      "another file behind zeros and a chunk",
      Buffer.concat([Buffer.alloc(5000), chunk("LIST", "abcd"), whole]),
      "another WAV file begins",
    ],
    ["another file behind a tag", Buffer.concat([id3v2, whole]), "another WAV file begins, at byte"],
    [
      "another file behind anything",
      Buffer.concat([Buffer.alloc(9000, 0xfe), whole]),
      "another WAV file begins, at byte 27056",
    ],
    [
      "another file of more than 4 GiB",
      Buffer.concat([Buffer.from("RF64\xff\xff\xff\xffWAVE", "latin1")]),
      "another WAV file begins",
    ],
    ["another chunk of samples", chunk("data", "abcdefgh"), 'its samples in one "data" chunk'],
    [
      "samples for a second",
      Buffer.alloc(40_000, Buffer.from("\x12\xfe\x13\xfe", "latin1")),
      "ffmpeg -ignore_length 1 -i",
    ],
  ])("is refused where it is %s", async (_, behind, message) => {
    expect((await readings(Buffer.concat([whole, behind]))).error).toContain(message);
  });
});

describe("a size that the writer left open", () => {
  const sized = (size: number, samples = whole) => {
    const bytes = Buffer.from(samples);
    bytes.writeUInt32LE(size, bytes.length - 2 * ramp.length - 4);
    return bytes;
  };

  it.each([0, 0x7ffff000, 0x7fffffff, 0x80000000, 0xffffff9b, 0xffffffff, 0x10000000, 0x40000000])(
    "is no harm where it is %i, and is noted",
    async (size) => {
      const { samples, notes } = await readings(sized(size));
      expect(samples).toEqual(ramped);
      expect(notes).toEqual([expect.stringContaining("leaves the size of its samples open")]);
    },
  );

  it("may end within a sample", async () => {
    expect((await readings(sized(0).subarray(0, -1))).samples).toEqual(ramped.slice(0, -1));
  });

  it("is none where a part is missing", async () => {
    for (const size of [18_001, 30_000, 400_000, 100_000_000])
      for (const cut of [0, 100]) {
        const { error } = await readings(sized(size).subarray(0, whole.length - cut));
        expect(error).toContain(cut ? "the file is truncated" : "as long as it says and its header corrupt");
      }
  });

  it("is far beyond what is there, not a part of it", () => {
    const mega = 2 ** 20;
    expect(isOpenSize(300 * mega, 30 * mega)).toBe(true);
    expect(isOpenSize(300 * mega, 40 * mega)).toBe(false);
    expect(isOpenSize(200 * mega, 1)).toBe(false);
    expect(isOpenSize(6e9, 1)).toBe(false);
  });

  it("is 0 where there are no samples", async () => {
    const none = encodeWav(new Float32Array(0), 16000);
    expect((await readings(none)).error).toContain("holds 0 samples");
  });
});

describe("fields that contradict one another", () => {
  const spoilt = (at: number, value: number, size: 2 | 4, bytes = whole) => {
    const copy = Buffer.from(bytes);
    if (size === 2) copy.writeUInt16LE(value, at);
    else copy.writeUInt32LE(value, at);
    return copy;
  };
  const packed = wav([[1 << 8], [-2], [1 << 22]], 24);
  const stereo = wav([[256, 512]], 16);

  it.each([
    ["no block size", spoilt(32, 0, 2), ramped],
    ["no bytes a second", spoilt(28, 0, 4), ramped],
    ["bits for the block", spoilt(32, 24, 2, packed), [2 ** -15, -(2 ** -22), 0.5]],
    ["a sample's size for the block", spoilt(32, 2, 2, stereo), [(256 + 512) / 2 / 32768]],
    ["20 bits in the highest of three bytes", spoilt(34, 20, 2, packed), [2 ** -15, -(2 ** -22), 0.5]],
    ["12 bits in the highest of two bytes", spoilt(34, 12, 2), ramped],
  ])("are read where there is one meaning: %s", async (_, bytes, expected) => {
    expect((await readings(bytes)).samples).toEqual(expected);
  });

  it.each([
    ["24 bits in four bytes", spoilt(32, 4, 2, packed), "24 bits a sample and 4 bytes a sample and channel"],
    [
      "the same, extensible",
      spoilt(32, 4, 2, wav([[1]], 24, { extensible: true })),
      "24 bits a sample and 4 bytes",
    ],
    [
      "the same, of six channels",
      spoilt(32, 24, 2, wav([[1, 2, 3, 4, 5, 6]], 24)),
      "24 bits a sample and 4 bytes",
    ],
    ["16 bits in four bytes", spoilt(32, 4, 2), "16 bits a sample and 4 bytes"],
    ["20 bits in four bytes", spoilt(32, 4, 2, spoilt(34, 20, 2, packed)), "20 bits a sample and 4 bytes"],
    ["24 bits in two bytes", spoilt(32, 2, 2, packed), "24 bits a sample and 2 bytes"],
    ["six bytes for two channels of 16 bits", spoilt(32, 6, 2, stereo), "16 bits a sample and 3 bytes"],
  ])("are refused where there are several: %s", async (_, bytes, message) => {
    expect((await readings(bytes)).error).toContain(message);
  });
});

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
  ])("reads %s", async (_, bytes, expected) => {
    const { channelData, sampleRate } = await decodeWav(memorySource(bytes), "x.wav");
    expect(sampleRate).toBe(16000);
    expect(channelData.map((channel) => [...channel])).toEqual(expected);
  });

  it("reads what a pipe wrote, without a size", async () => {
    const bytes = wav([[16384], [8192]], 16);
    new DataView(bytes.buffer).setUint32(bytes.length - 8, 0xffffffff, true);
    expect([...(await decodeWav(memorySource(bytes), "x.wav")).channelData[0]!]).toEqual([0.5, 0.25]);
  });

  it("refuses a file cut anywhere", async () => {
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
      await expect(decode(), `cut at ${length}`).rejects.toThrow(UserError);
      await expect(decode()).rejects.toThrow("cut.wav");
    }
  });

  it("refuses other encodings", async () => {
    const bytes = wav([[0]], 16);
    new DataView(bytes.buffer).setUint16(20, 6, true); // A-law
    await expect(decodeWav(memorySource(bytes), "x.wav")).rejects.toThrow(
      "but holds format 6 with 16 bits. Convert it with: ffmpeg",
    );
  });
});

it("encodeWav writes 16-bit PCM", async () => {
  const samples = Float32Array.of(0, 0.5, -1, 1, -0.25);
  const { channelData, sampleRate } = await decodeWav(memorySource(encodeWav(samples, 22050)), "x.wav");
  expect(sampleRate).toBe(22050);
  expect([...channelData[0]!]).toEqual([0, 0.5, -1, 32767 / 32768, -0.25]);
});
