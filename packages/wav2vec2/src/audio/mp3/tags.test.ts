import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gather } from "../../../test/fixtures/gather-blocks.js";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { readings } from "../../../test/formats/audio-readings.js";
import { readAudio } from "../audio-file.js";
import { streamAudio } from "../audio-stream.js";
import { metadataEnd, splitFrames } from "../flac/flac-frames.js";
import { encodeFlac } from "../flac/flac-writer.js";
import { encodeWav } from "../wav/wav.js";

const samples = Float32Array.from(
  { length: 9000 },
  (_, i) => Math.round(9000 * Math.sin(i / 6 + 1)) / 32768 || 0,
);
const flac = encodeFlac(samples, 16000);
/** As an encoder leaves it that writes to a pipe: without the number of samples and their MD5. */
const open = flac.slice();
open[21]! &= 0xf0;
open.fill(0, 22, 42);
const id3v2 = Buffer.concat([Buffer.from("ID3\x03\0\0\0\0\x02\0"), Buffer.alloc(256, "fLa")]);
const id3v1 = Buffer.concat([Buffer.from("TAG"), Buffer.alloc(125, "x")]);
const ape = Buffer.alloc(64);
ape.write("APETAGEX");
ape.writeUInt32LE(32, 12);
ape.writeUInt32LE(0xa0000000, 20);
ape.write("APETAGEX", 32);
const zeros = Buffer.alloc(5000);

const read = (...parts: Uint8Array[]) => readings(Buffer.concat(parts), "clip.flac");

describe.each([
  ["", flac],
  [" of which the header does not tell the length", open],
])("a FLAC file%s", (_, file) => {
  it.each<[string, Uint8Array[]]>([
    ["ID3v2 in front", [id3v2, file]],
    ["ID3v2 twice and zeros in front", [id3v2, id3v2, zeros, file]],
    ["ID3v2 on both sides of zeros in front", [id3v2, zeros, id3v2, file]],
    ["an APE tag in front", [ape, file]],
    ["ID3v1 behind", [file, id3v1]],
    ["ID3v2 behind", [file, id3v2]],
    ["an APE tag and ID3v1 behind", [file, ape, id3v1]],
    ["zeros behind", [file, zeros]],
    ["tags on both sides", [id3v2, file, ape, id3v1]],
    ["the end of a line behind", [file, Buffer.from("\r\n")]],
  ])("is read with %s", async (_name, parts) => {
    const given = await read(...parts);
    expect(given.error).toBeUndefined();
    expect(given.samples).toEqual(samples);
  });

  it("is cut off with its tag, or within its last frame", async () => {
    expect((await read(id3v2.subarray(0, 100))).error).toContain("but ends with them: it is truncated");
    expect((await read(id3v2)).error).toContain("but ends with them: it is truncated");
    expect((await read(file.subarray(0, -20))).error).toContain("the file is truncated or corrupt");
    expect((await read(file.subarray(0, -20), id3v1)).error).toContain("what follows is damaged");
  });
});

it("anything behind a FLAC file is no harm where all its samples are there, and damage where that is not known", async () => {
  const junk = Buffer.alloc(600, 0x11);
  expect((await read(flac, junk)).samples).toEqual(samples);
  expect((await read(open, junk)).error).toContain("what follows is damaged");
});

it("another FLAC file behind the first is refused, with the commands that take them apart", async () => {
  const directory = await temporaryDirectory("joined");
  const path = join(directory, "joined.flac");
  for (const between of [[], [id3v2], [id3v1, zeros]]) {
    const joined = Buffer.concat([flac, ...between, flac]);
    await writeFile(path, joined);
    // The header alone says nothing of what is behind its samples.
    const at = joined.length - flac.length;
    const message = `another FLAC file begins, at byte ${at}. Take them apart: head -c ${at} `;
    await expect(readAudio(path)).rejects.toThrow(message);
    const blocks = await gather(streamAudio(path));
    expect((blocks.error as Error).message).toContain(message);
    expect(blocks.samples).toEqual(samples);
  }
});

it("a FLAC file whose beginning was cut away without decoding it is read with a note, one without its end is none", async () => {
  const { frames } = splitFrames(flac, metadataEnd(flac));
  const head = flac.subarray(0, metadataEnd(flac));
  const bytes = frames.map((frame) => frame.bytes);
  const given = await read(head, ...bytes.slice(1));
  expect(given.notes).toEqual([
    expect.stringContaining("begins at sample 4096 of the recording that its FLAC header is of"),
  ]);
  expect(given.samples).toEqual(samples.slice(4096));
  expect((await read(head, ...bytes.slice(1, -1))).error).toContain(
    "must be whole (4904 samples by its header)",
  );
  expect((await read(head, ...bytes, ...bytes)).error).toMatch(
    /holds more: it was joined without being decoded, or is corrupt\. Convert it with: ffmpeg -i/,
  );
});

describe("a recording of another format behind", () => {
  const fixture = (name: string) => readFile(new URL(`../../../test/audio/${name}`, import.meta.url));
  const wav = encodeWav(samples, 16000);

  it.each<[string, () => Promise<Uint8Array> | Uint8Array, string, Uint8Array]>([
    ["FLAC", () => flac, "a WAV file", wav],
    ["FLAC of unknown length", () => open, "a WAV file", wav],
    ["WAV", () => wav, "a FLAC file", flac],
    ["MP3", () => fixture("mono-16k.mp3"), "a FLAC file", flac],
    ["MP3", () => fixture("cbr-48k-no-xing.mp3"), "a WAV file", wav],
    ["Opus", () => fixture("mono.opus"), "a WAV file", wav],
    ["Vorbis", () => fixture("mono-22k.ogg"), "a FLAC file", flac],
  ])("%s is refused, with the commands that take them apart", async (_, first, found, second) => {
    const bytes = await first();
    for (const between of [[], [id3v1]]) {
      const joined = Buffer.concat([bytes, ...between, second]);
      const at = joined.length - second.length;
      const { error } = await readings(joined, "joined.bin");
      expect(error).toContain(`behind it ${found} begins, at byte ${at}. Take them apart: head -c ${at} `);
    }
  });
});
