import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readings } from "../../../test/formats/audio-readings.js";
import { oggPackets } from "../../../test/formats/webm-fixture.js";
import { crc32 } from "../flac/crc.js";
import { parseFrameHeader } from "../flac/flac-frames.js";

import { readOpusHeader } from "./ogg-opus.js";

/** @param flags 1: goes on with a packet, 2: begins a stream, 4: ends it */
function page(
  flags: number,
  place: number,
  number: number,
  packets: readonly Uint8Array[],
  serial = 7,
): Buffer {
  const head = Buffer.alloc(27 + packets.length);
  head.write("OggS");
  head[5] = flags;
  head.writeBigInt64LE(BigInt(place), 6);
  head.writeUInt32LE(serial, 14);
  head.writeUInt32LE(number, 18);
  head[26] = packets.length;
  for (const [i, packet] of packets.entries()) head[27 + i] = packet.length;
  return sealed(Buffer.concat([head, ...packets]));
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32LE(0, 22);
  bytes.writeUInt32LE(crc32(bytes), 22);
  return bytes;
}

const HEAD = Buffer.from("OpusHead\x01\x01\x38\x01\x80\x3e\0\0\0\0\0", "latin1"); // a delay of 312 samples
const TAGS = Buffer.concat([Buffer.from("OpusTags"), Buffer.from("\x01\0\0\0x\0\0\0\0")]);
const SILENCE = Buffer.from("\xf8\xff\xfe", "latin1"); // 20 ms
const PLACES = [19_200, 38_400, 57_600, 76_800, 96_000];
const SAMPLES = 96_000 - 312;

/** 100 packets, 20 a page. @param cut samples that the last page takes away @param skip pages that come before */
function opus({ mark = 4, cut = 0, skip = 0, serial = 7, channels = 1, begin = 0 } = {}): Buffer[] {
  const packets = Array.from({ length: 20 }, () => SILENCE);
  return [
    page(2, 0, 0, [Uint8Array.from(HEAD).fill(channels, 9, 10)], serial),
    page(0, 0, 1, [TAGS], serial),
    ...PLACES.map((place, i) =>
      page(i === 4 ? mark : 0, begin + place - (i === 4 ? cut : 0), i + 2 + skip, packets, serial),
    ),
  ];
}

const read = (...parts: Uint8Array[]) => readings(Buffer.concat(parts), "clip.opus");
const aligned = (pages: Buffer[]) =>
  pages.map((bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 1023, 0xa5)]));
const id3v1 = Buffer.concat([Buffer.from("TAG"), Buffer.alloc(125, "x")]);
const id3v2 = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\x02\0"), Buffer.alloc(256, "OggS")]);

describe("an Ogg file", () => {
  it.each<[string, Buffer[]]>([
    ["as it is", opus()],
    ["with places that begin late", opus({ begin: 1_000_000 })],
    ["with anything between its pages", aligned(opus())],
    ["with tags around it", [id3v2, ...opus(), id3v1]],
    ["with zeros behind it", [...opus(), Buffer.alloc(70_000)]],
    ["with anything behind it", [...opus(), Buffer.alloc(500, 0x11)]],
  ])("is read whole %s", async (_, pages) => {
    expect(await read(...pages)).toMatchObject({ length: SAMPLES, notes: [] });
  });

  it("is gone through a page at a time where its length is to be counted", () => {
    const bytes = Buffer.concat([
      ...opus({ cut: 100 }),
      ...opus({ serial: 8 }),
      ...opus({ serial: 9, mark: 0 }),
    ]);
    const memory = Buffer.alloc(2 ** 17);
    const read = (at: number, length: number) => {
      memory.fill(0); // nothing is left of pages before
      const part = bytes.subarray(at, at + length);
      memory.set(part);
      return memory.subarray(0, part.length);
    };
    expect(readOpusHeader({ size: bytes.length, read }, "clip.opus").samples).toBe(3 * SAMPLES - 100);
  });

  it("that does not mark its last page is read with a note", async () => {
    for (const pages of [opus({ mark: 0 }), [...opus({ mark: 0 }), id3v1]]) {
      const { length, notes } = await read(...pages);
      expect([length, notes]).toEqual([
        SAMPLES,
        [expect.stringContaining("does not mark its last Ogg page")],
      ]);
    }
    // Only a last page tells less than it holds, so that nothing is missing behind it.
    for (const pages of [opus({ mark: 0, cut: 100 }), opus({ cut: 100 })])
      expect((await read(...pages)).length).toBe(SAMPLES - 100);
  });

  it("is read whole where it was joined of several, with their headers or without", async () => {
    const chained = [...opus({ cut: 100 }), id3v1, ...opus({ serial: 8 }), ...opus({ serial: 9, mark: 0 })];
    expect(await read(...chained)).toMatchObject({
      length: 3 * SAMPLES - 100,
      notes: [expect.stringContaining("does not mark its last Ogg page")],
    });
    // What a page in the midst does not count was the end of the first recording, what the first does not, before a cut.
    const packets = Array(20).fill(SILENCE);
    const pages = [page(0, 19_200, 2, packets), page(0, 29_200, 3, packets), page(4, 48_400, 4, packets)];
    expect((await read(...opus().slice(0, 2), ...pages)).length).toBe(48_400 - 312);
    const copied = [page(0, 10_000, 2, packets), page(4, 29_200, 3, packets)];
    expect((await read(...opus().slice(0, 2), ...copied)).length).toBe(38_400 - 312);
  });

  it("is read where its places are off by what counting in milliseconds leaves", async () => {
    const packets = Array(20).fill(SILENCE);
    const copied = [...opus().slice(0, 2), page(0, 19_220, 2, packets), page(0, 38_380, 3, packets)];
    expect((await read(...copied, page(4, 57_640, 4, packets))).length).toBe(57_640 - 20 - 312);
    expect((await read(...copied, page(4, 57_600, 4, packets))).length).toBe(57_600 - 20 - 312);
  });

  it("is read whole where its last page tells no place", async () => {
    const packets = Array(20).fill(SILENCE);
    expect((await read(...opus().slice(0, -1), page(4, -1, 6, packets))).length).toBe(SAMPLES);
  });

  it("is read beside streams without sound", async () => {
    const [first, ...rest] = opus();
    const skeleton = Buffer.from(`fishead\0${"x".repeat(56)}`);
    const beside = [page(2, 0, 0, [skeleton], 3), first!, page(0, 0, 1, [Buffer.from("fisbone\0")], 3)];
    const end = page(4, 0, 2, [Buffer.alloc(0)], 3);
    expect(await read(...beside, ...rest, end)).toMatchObject({ length: SAMPLES, notes: [] });
    expect(await read(...beside, end, ...rest)).toMatchObject({ length: SAMPLES, notes: [] });
  });

  it("is read with a note where a station was joined in its midst", async () => {
    const { length, notes } = await read(...opus({ skip: 900 }));
    expect([length, notes]).toEqual([SAMPLES, [expect.stringContaining("900 pages before are not in it")]]);
  });

  it.each<[string, Buffer[], string]>([
    ["a page is missing", opus().toSpliced(4, 1), "must hold every Ogg page, but page 4 is missing"],
    [
      "a page is damaged",
      opus().with(4, Buffer.alloc(107, "OggS")),
      "must hold every Ogg page, but page 4, at byte",
    ],
    [
      "the last page is cut off",
      [Buffer.concat(opus()).subarray(0, -1)],
      "is cut off: the file is truncated",
    ],
    [
      "the same file follows",
      [...opus(), ...opus()],
      "must hold one Ogg stream of sound at a time, but holds several beside one another, or one twice. Take one of them: ffmpeg -i",
    ],
    [
      "another stream is beside it",
      [...opus().slice(0, 1), ...opus({ serial: 8 }).slice(0, 1)],
      "must hold one Ogg stream",
    ],
    [
      "its places are those of more samples",
      [
        ...opus().slice(0, 2),
        page(0, 19_200, 2, Array(20).fill(SILENCE)),
        page(4, 48_400, 3, Array(20).fill(SILENCE)),
      ],
      "but one ends at sample 38400 and says 48400: it was cut out of a longer one, or is corrupt. Convert it with: ffmpeg -i",
    ],
    [
      "streams of several kinds follow one another",
      [...opus(), ...opus({ serial: 8, channels: 2 })],
      "must hold Ogg streams of one kind behind one another, but they change from channels 1 of 48000 Hz to 2 of 48000 Hz",
    ],
  ])("is refused where %s", async (_, pages, message) => {
    expect((await read(...pages)).error).toContain(message);
  });
});

describe.each(["mono-22k.ogg", "flac-16k.oga", "mono.opus"])("%s, as its encoder wrote it", (name) => {
  const bytes = readFileSync(new URL(`../../../test/audio/${name}`, import.meta.url));
  const pages: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += pages.at(-1)!.length) {
    const segments = bytes.subarray(at + 27, at + 27 + bytes[at + 26]!);
    const length = segments.reduce((sum, segment) => sum + segment, 27 + segments.length);
    pages.push(Buffer.from(bytes.subarray(at, at + length)));
  }

  it("is read with anything between its pages, and with tags around it", async () => {
    const whole = await readings(bytes, name);
    expect((await readings(Buffer.concat(aligned(pages)), name)).samples).toEqual(whole.samples);
    expect((await readings(Buffer.concat([id3v2, bytes, id3v1]), name)).samples).toEqual(whole.samples);
  });

  it("is read twice where it follows itself as another stream", async () => {
    const whole = await readings(bytes, name);
    const again = pages.map((page) => {
      const copy = Buffer.from(page);
      copy.writeUInt32LE(9, 14);
      return sealed(copy);
    });
    const { length, notes } = await readings(Buffer.concat([...pages, ...again]), name);
    expect([length, notes]).toEqual([2 * whole.length!, []]);
  });

  it("is never shorter in silence without the mark of its last page", async () => {
    const whole = await readings(bytes, name);
    const last = Buffer.from(pages.at(-1)!);
    last[5]! &= ~4;
    const given = await readings(Buffer.concat([...pages.slice(0, -1), sealed(last)]), name);
    if (given.error) expect(given.error).toContain("with: ffmpeg -i");
    else {
      // Where it is the first page, too, what it does not count may also have been before a cut: it is given.
      const sure = whole.samples!.length - 100;
      expect(given.samples!.length).toBeGreaterThanOrEqual(whole.samples!.length);
      expect(given.samples!.slice(0, sure)).toEqual(whole.samples!.slice(0, sure));
    }
  });
});

it("Ogg FLAC that was cut without being decoded is read with a note, where its pages are whole", async () => {
  const name = "flac-16k.oga";
  const bytes = readFileSync(new URL(`../../../test/audio/${name}`, import.meta.url));
  const whole = await readings(bytes, name);
  const [pipedHead, comments, ...frames] = oggPackets(bytes);
  expect(frames.length).toBeGreaterThan(2);
  const sizes = frames.map((frame) => parseFrameHeader(frame, 0)!.blockSize);
  const first = sizes[0]!;
  const rest = sizes.slice(1).reduce((sum, size) => sum + size, 0);
  const head = Buffer.from(pipedHead!);
  head.writeUInt32BE(first + rest, 9 + 22); // FFmpeg left the number of samples open
  // In one page, of packets of any length.
  const long = (flags: number, place: number, number: number, packets: Uint8Array[]) => {
    const segments = packets.flatMap(({ length }) => [
      ...Array(Math.floor(length / 255)).fill(255),
      length % 255,
    ]);
    const start = page(flags, place, number, []);
    start[26] = segments.length;
    return sealed(Buffer.concat([start, Uint8Array.from(segments), ...packets]));
  };
  const pages = (mark: number) => [
    long(2, 0, 0, [head]),
    long(0, 0, 1, [comments!]),
    long(mark, rest, 2, frames.slice(1)),
  ];
  const given = await readings(Buffer.concat(pages(4)), name);
  expect(given.notes).toEqual([
    expect.stringContaining(`holds ${rest} samples where its FLAC header tells ${first + rest}`),
  ]);
  expect(given.samples).toEqual(whole.samples!.slice(first));
  expect((await readings(Buffer.concat(pages(0)), name)).error).toContain("must be whole");
});
