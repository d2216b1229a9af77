import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readAudio, readAudioInfo } from "../../src/audio/audio-file.js";
import { detectFormat } from "../../src/audio/audio-format.js";
import { crc32 } from "../../src/audio/flac/crc.js";
import { memorySource } from "../../src/audio/sources/byte-source.js";
import { Random } from "../../src/data/random.js";
import { UserError } from "../../src/errors.js";

// Clips in every format, and what libsndfile reads from them: reference/audio_clips.py.
const CLIPS = new URL("../audio/", import.meta.url).pathname;
interface Clip {
  sampleRate: number;
  channels: number;
  samples: number;
  /** Of float32 [samples][channels], where the format is lossless. */
  sha256?: string;
  /** Every STEP-th sample of the channels' average, where it is lossy. */
  average?: number[];
}
const STEP = 101;
const clips: Record<string, Clip> = JSON.parse(
  readFileSync(new URL("../golden/clips.json", import.meta.url), "utf8"),
);
const names = Object.keys(clips);
const decode = async (bytes: Uint8Array, name: string) => {
  const source = memorySource(bytes);
  return detectFormat(source, name).decode(source, name);
};

describe.each(names)("%s", (name) => {
  const clip = clips[name]!;
  const path = join(CLIPS, name);

  it("has the samples that libsndfile reads", async () => {
    const { channelData, sampleRate } = await decode(await readFile(path), name);
    expect([sampleRate, channelData.length]).toEqual([clip.sampleRate, clip.channels]);
    for (const channel of channelData) expect(channel).toHaveLength(clip.samples);
    if (clip.sha256) {
      const interleaved = new Float32Array(clip.samples * clip.channels);
      for (const [c, channel] of channelData.entries())
        for (const [i, sample] of channel.entries()) interleaved[i * clip.channels + c] = sample;
      expect(createHash("sha256").update(interleaved).digest("hex")).toBe(clip.sha256);
    }
    for (const [i, expected] of clip.average?.entries() ?? []) {
      const average = channelData.reduce((sum, channel) => sum + channel[i * STEP]!, 0) / clip.channels;
      expect(Math.abs(average - expected), `sample ${i * STEP}`).toBeLessThan(TOLERANCE);
    }
  });

  it("is as long as its headers say, whole and in parts", async () => {
    const info = await readAudioInfo(path);
    const { size } = await import("node:fs").then(({ statSync }) => statSync(path));
    expect(info).toMatchObject({
      sampleRate: clip.sampleRate,
      channels: clip.channels,
      samples: clip.samples,
      size,
    });
    const whole = await readAudio(path);
    expect(whole).toHaveLength(info.samplesAt16k);
    expect(info.samplesAt16k).toBe(Math.ceil((clip.samples * 16000) / clip.sampleRate));
    const random = new Random(6, name);
    for (let i = 0; i < 5; i++) {
      const from = random.integer(clip.samples);
      const to = from + 1 + random.integer(clip.samples - from);
      const part = await readAudio(path, { start: from / clip.sampleRate, end: to / clip.sampleRate });
      expect(part).toHaveLength(Math.ceil(((to - from) * 16000) / clip.sampleRate));
      if (clip.sampleRate === 16000) expect(part).toEqual(whole.slice(from, to));
    }
  });
});

// libsndfile's numbers are rounded to five digits; libopus and mpg123 are compiled without the same instructions.
const TOLERANCE = 5e-5;

it("Opus is scaled by the gain in its header (RFC 7845, section 5.1)", async () => {
  const bytes = await readFile(join(CLIPS, "mono.opus"));
  const loudest = async () => Math.max(...(await decode(bytes, "gain.opus")).channelData[0]!);
  const before = await loudest();
  const head = bytes.indexOf("OpusHead");
  bytes.writeInt16LE(-12 * 256, head + 16);
  const page = bytes.lastIndexOf("OggS", head);
  const end = page + 27 + bytes[page + 26]! + bytes[page + 27]!; // of a page that holds this packet alone
  bytes.writeUInt32LE(0, page + 22);
  bytes.writeUInt32LE(crc32(bytes.subarray(page, end)), page + 22);
  expect((await loudest()) / before).toBeCloseTo(10 ** (-12 / 20), 5);
});

describe("damaged files", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "formats-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Reads a file that may be damaged: its length, or undefined where it is refused with its name. */
  async function lengthOf(path: string, hint: string): Promise<number | undefined> {
    const length = async (read: () => Promise<number>) =>
      read().catch((error) => {
        expect(error, `${hint}: ${error.stack}`).toBeInstanceOf(UserError);
        expect(error.message, hint).toContain(path);
        return undefined;
      });
    const read = await length(async () => (await readAudio(path)).length);
    const info = await length(async () => (await readAudioInfo(path)).samplesAt16k);
    if (read !== undefined) expect(info, hint).toBe(read);
    return read;
  }

  it.each(names)("%s: with bytes changed or cut off it is refused or has its length", async (name) => {
    const silenced = vi.spyOn(console, "error").mockReturnValue(); // the decoders report there too
    const whole = await readFile(join(CLIPS, name));
    const expected = await lengthOf(join(CLIPS, name), name);
    const random = new Random(7, name);
    const path = join(directory, `damaged ${name}`);
    for (let i = 0; i < 40; i++) {
      const damaged = Buffer.from(whole);
      const flips = 1 + random.integer(i % 3 === 0 ? 30 : 2);
      for (let flip = 0; flip < flips; flip++) {
        // The headers are hit as often as the sound.
        const at = random.integer(random.integer(2) ? damaged.length : Math.min(damaged.length, 200));
        damaged[at]! ^= 1 + random.integer(255);
      }
      await writeFile(path, damaged);
      await lengthOf(path, `${name}, damage ${i}`);
    }
    for (let i = 0; i < 40; i++) {
      const length = random.integer(whole.length);
      await writeFile(path, whole.subarray(0, length));
      const read = await lengthOf(path, `${name} cut at ${length}`);
      // An MP3 file without counts that ends between two frames cannot be told from a whole one.
      if (name !== "cbr-48k-no-xing.mp3") expect(read, `${name} cut at ${length}`).toBeUndefined();
    }
    // What came before spoils nothing.
    expect(await lengthOf(join(CLIPS, name), name)).toBe(expected);
    silenced.mockRestore();
  });

  it.each(["text.wav", "text.mp3", "text.ogg"])("a text file named %s is refused", async (name) => {
    const path = join(directory, name);
    await writeFile(path, "These are notes, not sound.");
    for (const read of [readAudio, readAudioInfo])
      await expect(read(path)).rejects.toThrow(
        `${path} must be FLAC, WAV, MP3, Ogg (Opus, Vorbis or FLAC), WebM with Opus or NIST SPHERE, but begins with "Thes"`,
      );
  });
});
