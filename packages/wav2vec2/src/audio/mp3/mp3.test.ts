import { describe, expect, it } from "vitest";
import { readings } from "../../../test/formats/audio-readings.js";
import { crc16Reflected } from "../flac/crc.js";

// Silence: frames of 192 bytes (48 kHz, mono, 64 kbit/s) of 1,152 samples, and a first frame with counts.
const HEAD = Buffer.from("\xff\xfb\x54\xc4", "latin1");
const frame = Buffer.concat([HEAD, Buffer.alloc(188)]);
const sound = (frames: number) => Buffer.concat(Array.from({ length: frames }, () => frame));
const [DELAY, PADDING] = [576, 1000];
// A decoder delays 529 samples more, which the padding covers.
const played = (frames: number, padding = PADDING - 529) => frames * 1152 - DELAY - 529 - padding;

/** @param bytes of all frames, which the encoder seals with its checksum */
function info(
  frames: number,
  { bytes, flags = bytes === undefined ? 1 : 3 }: { bytes?: number; flags?: number } = {},
) {
  const first = Buffer.alloc(192);
  HEAD.copy(first);
  first.write("Info", 21);
  first.writeUInt32BE(flags, 25);
  first.writeUInt32BE(frames, 29);
  if (bytes !== undefined) first.writeUInt32BE(bytes, 33);
  const lame = bytes === undefined ? 33 : 37;
  first.write("LAME3.100", lame);
  first.set([DELAY >> 4, ((DELAY & 15) << 4) | (PADDING >> 8), PADDING & 255], lame + 21);
  if (bytes !== undefined) first.writeUInt16BE(crc16Reflected(first, 0, lame + 34), lame + 34);
  return first;
}

const id3v2 = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\0\x20"), Buffer.alloc(32)]);
const id3v1 = Buffer.concat([Buffer.from("TAG"), Buffer.alloc(125, "x")]);
function ape(version: 1 | 2): Buffer {
  const item = Buffer.from("\x05\0\0\0\0\0\0\0Title\0hello");
  const mark = (flags: number) => {
    const bytes = Buffer.alloc(32);
    bytes.write("APETAGEX");
    for (const [i, value] of [version * 1000, item.length + 32, 1, flags].entries())
      bytes.writeUInt32LE(value, 8 + 4 * i);
    return bytes;
  };
  return version === 1
    ? Buffer.concat([item, mark(0)])
    : Buffer.concat([mark(0xa0000000), item, mark(0x80000000)]);
}
const lyrics = Buffer.from(`LYRICSBEGIN${"la ".repeat(500)}001511LYRICS200`);
const read = (...parts: Uint8Array[]) => readings(Buffer.concat(parts), "clip.mp3");

describe("counts of an MP3 file", () => {
  // As libsndfile 1.2.2 and FFmpeg 5.1 read them.
  it.each<[string, Buffer[], number]>([
    ["are those of its frames", [info(50), sound(50)], played(50)],
    ["are sealed", [info(50, { bytes: 51 * 192 }), sound(50)], played(50)],
    ["count their own frame (mp3splt)", [info(51), sound(50)], played(50, 0)],
    [
      "count their own frame before a tag that its end tells",
      [info(51), sound(50), ape(1), id3v1],
      played(50, 0),
    ],
    ["are 0 where the encoder could not go back", [info(0), sound(50)], 50 * 1152],
    ["are not there", [info(50, { flags: 0 }), sound(50)], 50 * 1152],
    ["are fewer than the frames", [info(40), sound(50)], played(50)],
    ["are of the first of joined files", [info(20), sound(20), info(30), sound(30)], 51 * 1152 - DELAY - 529],
    [
      "are of the first of joined files of which the second has none",
      [info(20, { bytes: 21 * 192 }), sound(50)],
      50 * 1152 - DELAY - 529,
    ],
  ])("%s", async (_, parts, samples) => {
    expect(await read(...parts)).toMatchObject({ length: samples, notes: [] });
  });

  it.each<[string, Buffer[]]>([
    ["are more than the frames", [info(52), sound(50)]],
    ["are sealed and more", [info(60, { bytes: 61 * 192 }), sound(50)]],
    ["are one more, but a frame was damaged", [info(51), sound(20), Buffer.alloc(192, 0x11), sound(30)]],
  ])("refuse the file where they %s", async (_, parts) => {
    expect((await read(...parts)).error).toMatch(/must hold \d+ frames by its header, but holds 50/);
  });

  it("refuse a file whose last frame is cut off", async () => {
    expect((await read(info(50), sound(50).subarray(0, -1))).error).toContain(
      "cut off: the file is truncated",
    );
  });
});

describe("what stands around MP3 frames", () => {
  const behind: [string, Buffer][] = [
    ["ID3v1", id3v1],
    ["ID3v2", id3v2],
    ["APE 1", ape(1)],
    ["APE 2", ape(2)],
    ["APE 1 and ID3v1", Buffer.concat([ape(1), id3v1])],
    ["APE 2, Lyrics3 and ID3v1", Buffer.concat([ape(2), lyrics, id3v1])],
    ["enhanced ID3v1", Buffer.concat([Buffer.from("TAG+"), Buffer.alloc(223, "x"), id3v1])],
    ["zeros", Buffer.alloc(70_000)],
    ["the end of a line", Buffer.from("\r\n")],
  ];
  it.each(behind)("is no sound behind them: %s", async (_, tag) => {
    expect((await read(info(50), sound(50), tag)).length).toBe(played(50));
    expect((await read(info(50, { bytes: 51 * 192 }), sound(50), tag)).length).toBe(played(50));
    expect((await read(sound(50), tag)).length).toBe(50 * 1152);
  });

  it.each<[string, Buffer]>([
    ["ID3v2", id3v2],
    ["two of them", Buffer.concat([id3v2, id3v2])],
    ["ID3v2 and zeros", Buffer.concat([id3v2, Buffer.alloc(3000)])],
    ["APE 2", ape(2)],
    ["zeros", Buffer.alloc(1000)],
  ])("is no sound in front of them: %s", async (_, tag) => {
    expect(await read(tag, info(50), sound(50))).toMatchObject({ length: played(50), notes: [] });
    expect(await read(tag, sound(50))).toMatchObject({ length: 50 * 1152, notes: [] });
  });

  it("is no sound between them where it is a tag, or the count shows that nothing is missing", async () => {
    expect((await read(sound(20), id3v2, sound(30))).length).toBe(50 * 1152);
    expect((await read(sound(20), id3v1, id3v2, sound(30))).length).toBe(50 * 1152);
    expect((await read(info(50), sound(20), Buffer.alloc(100, 0x11), sound(30))).length).toBe(played(50));
    expect((await read(sound(20), Buffer.alloc(100, 0x11), sound(30))).error).toContain(
      "what follows frame 20, at byte 3840, is none: the file is corrupt",
    );
    expect((await read(sound(50), Buffer.alloc(500, 0x11))).error).toContain(
      "what follows frame 50, at byte 9600, is none",
    );
  });

  it("is a part of a frame where a stream was cut, which is noted", async () => {
    const { length, notes } = await read(Buffer.alloc(142, 0x11), sound(50));
    expect([length, notes]).toEqual([
      50 * 1152,
      [expect.stringContaining("begins with 142 bytes that are no MP3 frame")],
    ]);
  });

  it("is refused where the frames change their kind", async () => {
    const stereo = Buffer.from(frame);
    stereo[3] = 0x04;
    expect((await read(sound(9), stereo, stereo, stereo)).error).toContain(
      "changes from 1 channel at 48000 Hz to 2 channels at 48000 Hz at byte 1728. Convert it with: ffmpeg",
    );
  });
});

it("free format is named, with what converts it", async () => {
  const frames = Buffer.concat(
    Array.from({ length: 9 }, () => Buffer.from([0xff, 0xfb, 0x04, 0xc4, ...Array(300).fill(0)])),
  );
  expect((await read(frames)).error).toContain(
    "but is MP3 of free format, whose frames tell no bit rate. Convert it with: lame --decode /",
  );
});
