import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readings } from "../../test/audio-readings.js";
import { crc32 } from "./crc.js";

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
function opus({ mark = 4, cut = 0, skip = 0, serial = 7 } = {}): Buffer[] {
  const packets = Array.from({ length: 20 }, () => SILENCE);
  return [
    page(2, 0, 0, [HEAD], serial),
    page(0, 0, 1, [TAGS], serial),
    ...PLACES.map((place, i) =>
      page(i === 4 ? mark : 0, place - (i === 4 ? cut : 0), i + 2 + skip, packets, serial),
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
    ["with anything between its pages", aligned(opus())],
    ["with tags around it", [id3v2, ...opus(), id3v1]],
    ["with zeros behind it", [...opus(), Buffer.alloc(70_000)]],
    ["with anything behind it", [...opus(), Buffer.alloc(500, 0x11)]],
  ])("is read whole %s", async (_, pages) => {
    expect(await read(...pages)).toMatchObject({ length: SAMPLES, notes: [] });
  });

  it("that does not mark its last page is read with a note where its place fits", async () => {
    for (const pages of [opus({ mark: 0 }), [...opus({ mark: 0 }), id3v1]]) {
      const { length, notes } = await read(...pages);
      expect([length, notes]).toEqual([
        SAMPLES,
        [expect.stringContaining("does not mark its last Ogg page")],
      ]);
    }
    expect((await read(...opus({ mark: 0, cut: 100 }))).error).toMatch(
      /place of its samples, 96000, but ends at 95900 without one.* mark it with: ffmpeg -i .*clip\.opus -c copy OUTPUT\.ogg/,
    );
    expect((await read(...opus({ cut: 100 }))).length).toBe(SAMPLES - 100);
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
      "another file follows",
      [...opus(), ...opus()],
      "must hold one Ogg stream, but holds several. Make one of them with: ffmpeg -i",
    ],
    [
      "another stream follows behind a tag",
      [...opus(), id3v1, ...opus({ serial: 8 })],
      "must hold one Ogg stream",
    ],
    [
      "another stream is beside it",
      [...opus().slice(0, 1), ...opus({ serial: 8 }).slice(0, 1)],
      "must hold one Ogg stream",
    ],
    [
      "it was cut without being decoded",
      [
        ...opus().slice(0, 2),
        page(0, 10_000, 2, Array(20).fill(SILENCE)),
        page(4, 29_200, 3, Array(20).fill(SILENCE)),
      ],
      "it was cut out of a longer one",
    ],
  ])("is refused where %s", async (_, pages, message) => {
    expect((await read(...pages)).error).toContain(message);
  });
});

describe.each(["mono-22k.ogg", "flac-16k.oga", "mono.opus"])("%s, as its encoder wrote it", (name) => {
  const bytes = readFileSync(new URL(`../../test/audio/${name}`, import.meta.url));
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

  it("is never shorter in silence without the mark of its last page", async () => {
    const whole = await readings(bytes, name);
    const last = Buffer.from(pages.at(-1)!);
    last[5]! &= ~4;
    const given = await readings(Buffer.concat([...pages.slice(0, -1), sealed(last)]), name);
    if (given.error) expect(given.error).toContain("with: ffmpeg -i");
    else expect(given.samples).toEqual(whole.samples);
  });
});
