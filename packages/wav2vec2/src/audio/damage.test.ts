import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { gather } from "../../test/fixtures/gather-blocks.js";
import { webm } from "../../test/formats/webm-fixture.js";
import type { ErrorCode } from "../errors.js";
import { readAudio } from "./audio-file.js";
import { streamAudio } from "./audio-stream.js";
import { encodeFlac } from "./flac/flac-writer.js";
import { encodeWav } from "./wav/wav.js";

// What is missing at a file's end, what is damaged in it and what is no audio have codes of their own, in all formats and
// however the bytes come.

const clip = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`../../test/audio/${name}`, import.meta.url)));
const samples = Float32Array.from({ length: 40_000 }, (_, i) => 0.3 * Math.sin((i * i) / 3e5));
const files = {
  FLAC: encodeFlac(samples, 16_000),
  WAV: encodeWav(samples, 16_000),
  "WAV of another program": clip("mono-16k-8bit.wav"),
  MP3: clip("mono-16k.mp3"),
  "MP3 without counts": clip("cbr-48k-no-xing.mp3"),
  "Ogg Opus": clip("mono.opus"),
  "Ogg Vorbis": clip("stereo-44k.ogg"),
  "Ogg FLAC": clip("flac-16k.oga"),
  WebM: new Uint8Array(webm(clip("mono.opus"))),
};

/** What reading gives as a whole, in blocks and through a pipe: samples, or the code of an error. */
async function codesOf(bytes: Uint8Array): Promise<Set<ErrorCode | "read">> {
  const pieces = [bytes.subarray(0, 100), bytes.subarray(100, 3000), bytes.subarray(3000)];
  const outcomes = [
    await readAudio(bytes).catch((error: unknown) => error),
    (await gather(streamAudio(bytes))).error,
    (await gather(streamAudio(pieces.filter(({ length }) => length > 0)))).error,
  ];
  return new Set(
    outcomes.map((outcome) => (outcome instanceof Error ? (outcome as { code?: ErrorCode }).code! : "read")),
  );
}

/** Places in a file, from one share of it to another. */
const places = ({ length }: Uint8Array, from: number, to: number): number[] =>
  Array.from({ length: 7 }, (_, i) => Math.floor(length * (from + ((to - from) * i) / 7)));

const changed = (bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array => {
  const copy = bytes.slice();
  copy.set(values, at);
  return copy;
};

describe.each(Object.entries(files))("%s", (name, whole) => {
  it("is read, and where it is cut off is truncated", async () => {
    expect(await codesOf(whole)).toEqual(new Set(["read"]));
    // Without counts, a cut between two frames shows nothing.
    const isUnseen = (length: number) => name === "MP3 without counts" && length % 144 === 0;
    const lengths = [...places(whole, 0.03, 1), whole.length - 1].filter((length) => !isUnseen(length));
    for (const length of lengths)
      expect(await codesOf(whole.subarray(0, length)), `${length} bytes`).toEqual(
        new Set(["ERR_AUDIO_TRUNCATED"]),
      );
  });
});

describe.each(["FLAC", "Ogg Opus", "Ogg Vorbis", "Ogg FLAC"] as const)("%s", (name) => {
  it("of which a byte is damaged is corrupt, and not truncated", async () => {
    const whole = files[name];
    for (const at of places(whole, 0.1, 0.9))
      expect(await codesOf(changed(whole, at, [whole[at]! ^ 0x55])), `byte ${at}`).toEqual(
        new Set(["ERR_AUDIO_CORRUPT"]),
      );
  });
});

describe.each(["FLAC", "MP3", "Ogg Vorbis"] as const)("%s", (name) => {
  it("of which a part in its midst was lost or zeroed is corrupt", async () => {
    const whole = files[name];
    const [from, to] = [Math.floor(whole.length * 0.4), Math.floor(whole.length * 0.6)];
    const zeroed = whole.slice().fill(0, from, to);
    const shortened = Buffer.concat([whole.subarray(0, from), whole.subarray(to)]);
    for (const bytes of [zeroed, shortened])
      expect(await codesOf(bytes)).toEqual(new Set(["ERR_AUDIO_CORRUPT"]));
  });
});

describe("a file that contradicts itself", () => {
  const at = (text: string, bytes: Uint8Array) => Buffer.from(bytes).indexOf(text, 0, "latin1");
  it.each<[string, Uint8Array, ErrorCode]>([
    ["FLAC with fewer samples than its frames", changed(files.FLAC, 24, [0x10]), "ERR_AUDIO_CORRUPT"],
    ["FLAC whose first frame begins with another byte", changed(files.FLAC, 42, [0]), "ERR_AUDIO_CORRUPT"],
    ["WAV with more samples than the file is long", changed(files.WAV, 42, [9]), "ERR_AUDIO_CORRUPT"],
    ["WAV whose first chunk is too large", changed(files.WAV, 18, [9]), "ERR_AUDIO_CORRUPT"],
    ["WAV whose format is too short", changed(files.WAV, 16, [8]), "ERR_AUDIO_CORRUPT"],
    ["WAV without a format", changed(files.WAV, 12, [0x78]), "ERR_AUDIO_CORRUPT"],
    ["WAV of an encoding that is not read", changed(files.WAV, 20, [85]), "ERR_AUDIO_FORMAT"],
    ["Ogg whose first page is damaged", changed(files["Ogg Opus"], 40, [7]), "ERR_AUDIO_CORRUPT"],
    [
      "WebM with an element that ends behind its cluster",
      changed(files.WebM, at("\x1f\x43\xb6\x75", files.WebM) + 29, [9]),
      "ERR_AUDIO_CORRUPT",
    ],
    ["WebM of another codec", Buffer.from(webm(clip("mono.opus"), { codec: "A_AAC" })), "ERR_AUDIO_FORMAT"],
    ["text", Buffer.from("This is text, and not audio. ".repeat(20)), "ERR_AUDIO_FORMAT"],
    ["nothing", new Uint8Array(0), "ERR_AUDIO_EMPTY"],
  ])("%s", async (_, bytes, code) => {
    expect(await codesOf(bytes)).toEqual(new Set([code]));
  });
});
