import { readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { readAudio } from "../../src/audio/audio-file.js";
import { streamAudio } from "../../src/audio/audio-stream.js";
import { Random } from "../../src/data/random.js";
import { UserError } from "../../src/errors.js";
import { gather, sameBits } from "../fixtures/gather-blocks.js";

// Clips in every format: reference/audio_clips.py.
const CLIPS = new URL("../audio/", import.meta.url).pathname;
const names = readdirSync(CLIPS);

/** A pipe through which some bytes come in pieces of up to `longest`. */
function pipe(bytes: Uint8Array, random: Random, longest: number): Readable {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieces.at(-1)!.length)
    pieces.push(bytes.subarray(at, at + 1 + random.integer(longest)));
  return Readable.from(pieces);
}

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "stream-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

describe.each(names)("%s", (name) => {
  const path = join(CLIPS, name);

  it("comes in blocks as readAudio reads it, from a file and through a pipe", async () => {
    const whole = await readAudio(path);
    const { samples, error } = await gather(streamAudio(path));
    expect(error).toBeUndefined();
    expect(sameBits(samples, whole)).toBe(true);
    const bytes = await readFile(path);
    const random = new Random(9, name);
    for (const longest of [5, 700, 100_000]) {
      const piped = await gather(streamAudio(pipe(bytes, random, longest)));
      expect(piped.error).toBeUndefined();
      expect(sameBits(piped.samples, whole), `in pieces of up to ${longest} bytes`).toBe(true);
    }
  });

  it("is refused as readAudio refuses it where it is damaged", async () => {
    const silenced = vi.spyOn(console, "error").mockReturnValue(); // the decoders report there too
    const bytes = await readFile(path);
    const random = new Random(10, name);
    const damagedPath = join(directory, `damaged ${name}`);
    for (let i = 0; i < 24; i++) {
      const damaged = Buffer.from(bytes.subarray(0, i % 2 ? bytes.length : random.integer(bytes.length)));
      for (let flips = i % 2 ? 1 + random.integer(3) : 0; flips > 0; flips--) {
        // The headers are hit as often as the sound.
        const at = random.integer(random.integer(2) ? damaged.length : Math.min(damaged.length, 200));
        damaged[at]! ^= 1 + random.integer(255);
      }
      await writeFile(damagedPath, damaged);
      const hint = `${name}, damage ${i}`;
      const expected = await readAudio(damagedPath).catch((error: unknown) => error);
      const { samples, error } = await gather(streamAudio(damagedPath));
      if (expected instanceof Float32Array) {
        expect(error, hint).toBeUndefined();
        expect(sameBits(samples, expected), hint).toBe(true);
      } else {
        expect(error, hint).toBeInstanceOf(UserError);
        expect((error as Error).message, hint).toContain(damagedPath);
      }
    }
    silenced.mockRestore();
  });
});
