import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { gather, sameBits } from "../../../test/fixtures/gather-blocks.js";
import { readings } from "../../../test/formats/audio-readings.js";
import { type Shape, webm } from "../../../test/formats/webm-fixture.js";
import { Random } from "../../data/random.js";
import { UserError } from "../../errors.js";
import { readAudio } from "../audio-file.js";
import { streamAudio } from "../audio-stream.js";
import { readOpusHeader } from "../ogg/ogg-opus.js";
import { memorySource } from "../sources/byte-source.js";
import { readWebmHeader } from "./webm-opus.js";

// A file of browsers made of the packets of an Ogg file: what is read must be the same samples.

const clip = (name: string) => readFileSync(new URL(`../../../test/audio/${name}`, import.meta.url));

describe.each(["mono.opus", "stereo.opus"])("%s in WebM", (name) => {
  it.each([{}, { isLive: true }, { lacing: 1 }, { lacing: 2 }, { lacing: 3 }] as Shape[])(
    "is read as in Ogg: %j",
    async (shape) => {
      const ogg = clip(name);
      const bytes = webm(ogg, shape);
      const expected = await readAudio(ogg);
      expect(sameBits(await readAudio(bytes), expected)).toBe(true);
      const pieces = Array.from({ length: Math.ceil(bytes.length / 97) }, (_, i) =>
        bytes.subarray(i * 97, i * 97 + 97),
      );
      const piped = await gather(streamAudio(Readable.from(pieces)));
      expect(piped.error).toBeUndefined();
      expect(sameBits(piped.samples, expected)).toBe(true);
      const { samples, channels, format } = readWebmHeader(memorySource(bytes), "x");
      expect([samples, channels, format]).toEqual([
        readOpusHeader(memorySource(ogg), "x").samples,
        name === "mono.opus" ? 1 : 2,
        "webm-opus",
      ]);
    },
  );
});

describe("WebM", () => {
  const whole = webm(clip("mono.opus"));

  it("that is cut off is refused, wherever it is", async () => {
    const random = new Random(1, "webm");
    for (let i = 0; i < 30; i++) {
      const bytes = whole.subarray(0, 5 + random.integer(whole.length - 5));
      const given = await gather(streamAudio(bytes));
      expect(given.error, String(bytes.length)).toMatchObject({
        name: "UserError",
        code: "ERR_AUDIO_TRUNCATED",
      });
      await expect(readAudio(bytes)).rejects.toMatchObject({ code: "ERR_AUDIO_TRUNCATED" });
    }
  });

  it("is read with tags and zeros behind it", async () => {
    const id3v1 = Buffer.concat([Buffer.from("TAG"), Buffer.alloc(125, "x")]);
    const id3v2 = Buffer.concat([Buffer.from("ID3\x04\0\0\0\0\0\x20"), Buffer.alloc(32)]);
    for (const isLive of [false, true]) {
      const file = webm(clip("mono.opus"), { isLive });
      const { samples } = await readings(file, "clip.webm");
      expect(
        (await readings(Buffer.concat([file, Buffer.alloc(900), id3v2, id3v1]), "clip.webm")).samples,
      ).toEqual(samples);
    }
  });

  it("that another one follows is refused, with the commands that take them apart", async () => {
    const file = webm(clip("mono.opus"));
    expect((await readings(Buffer.concat([file, file]), "clip.webm")).error).toMatch(
      new RegExp(
        `another WebM or Matroska file begins, at byte ${file.length}. Take them apart: head -c ${file.length} `,
      ),
    );
  });

  it("that is damaged is refused or read, and never crashes", async () => {
    const random = new Random(2, "webm");
    for (let i = 0; i < 100; i++) {
      const bytes = Buffer.from(whole);
      for (let flips = 0; flips < 3; flips++)
        bytes[random.integer(i % 2 ? bytes.length : 300)]! ^= 1 + random.integer(255);
      const error = await readAudio(bytes).catch((thrown: unknown) => thrown);
      if (!(error instanceof Float32Array)) expect(error).toBeInstanceOf(UserError);
    }
  });

  it("of another codec is named with it", async () => {
    await expect(
      readAudio(webm(clip("mono.opus"), { codec: "A_AAC" }), { name: "talk.mkv" }),
    ).rejects.toMatchObject({
      code: "ERR_AUDIO_FORMAT",
      message:
        "talk.mkv must hold one track of Opus in its WebM or Matroska file, but holds A_AAC. " +
        "Convert it with: ffmpeg -i talk.mkv -vn OUTPUT.flac",
    });
  });
});
