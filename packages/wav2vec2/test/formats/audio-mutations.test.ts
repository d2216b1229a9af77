import { readdirSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, vi } from "vitest";
import { readAudio, readAudioInfo } from "../../src/audio/audio-file.js";
import { streamAudio } from "../../src/audio/audio-stream.js";
import { Random } from "../../src/data/random.js";
import { UserError } from "../../src/errors.js";
import { gather } from "../fixtures/gather-blocks.js";
import { temporaryDirectory } from "../fixtures/temporary-directory.js";
import { mutate } from "./audio-mutations.js";
import { webm } from "./webm-fixture.js";

// AUDIO_MUTATIONS=500 has as many of each clip instead of a few, AUDIO_MUTANTS=DIRECTORY keeps them there, to be compared with
// libsndfile and FFmpeg: reference/audio_differences.py.
const COUNT = Number(process.env.AUDIO_MUTATIONS ?? 12);
const SEED = Number(process.env.AUDIO_SEED ?? 1);
const KEPT = process.env.AUDIO_MUTANTS;

const CLIPS = new URL("../audio/", import.meta.url).pathname;
const clips = new Map<string, Buffer>(
  readdirSync(CLIPS).map((name) => [name, readFileSync(join(CLIPS, name))]),
);
clips.set("mono.webm", webm(clips.get("mono.opus")!));

/** Bytes that reading a clip of a second may take, whatever its headers say. */
const MEMORY = 400 * 2 ** 20;
/** Samples at 16 kHz that a byte may become: 120 ms of Opus are told by two bytes, 65,536 samples of FLAC by some ten. */
const SAMPLES_A_BYTE = 8000;

describe.each([...clips.keys()])("%s with other headers and parts", (name) => {
  it("is read alike in all ways or refused with a code, in little memory", { timeout: 36e5 }, async () => {
    const silenced = vi.spyOn(console, "error").mockReturnValue(); // the decoders report there too
    const directory = KEPT ?? (await temporaryDirectory("mutants"));
    await mkdir(directory, { recursive: true });
    const others = [...clips.values()];
    for (let i = 0; i < COUNT; i++) {
      const hint = `${name}, seed ${SEED}, ${i}`;
      const bytes = mutate(clips.get(name)!, new Random(SEED, name, i), others);
      const path = join(directory, KEPT ? `mutant-${kindOf(name)}-${i}-${name}` : `mutant${extname(name)}`);
      await writeFile(path, bytes);
      const before = process.memoryUsage().rss;
      const whole = await readAudio(path).catch((error: Error) => error);
      const info = await readAudioInfo(path).catch((error: Error) => error);
      const pieces = [bytes.subarray(0, 100), bytes.subarray(100)].filter((piece) => piece.length > 0);
      const blocks = await gather(
        i % 2 ? streamAudio(path) : streamAudio(Readable.from(pieces), { name: path }),
      );
      expect(process.memoryUsage().rss - before, hint).toBeLessThan(MEMORY);
      for (const error of [whole, info, blocks.error])
        if (error instanceof Error) {
          expect(error, `${hint}: ${error.stack}`).toBeInstanceOf(UserError);
          expect((error as UserError).code, `${hint}: ${error.message}`).not.toBe("ERR_USER");
        }
      if (whole instanceof Error) {
        if (i % 2) expect(blocks.error, `${hint}: ${whole.message}`).toBeInstanceOf(UserError);
        continue;
      }
      expect(whole.length, hint).toBeLessThan(bytes.length * SAMPLES_A_BYTE);
      expect(info, hint).toMatchObject({ samplesAt16k: whole.length });
      // A stream's open end cannot be told from one that is cut off, nor its open size.
      if (i % 2) expect(blocks.error, hint).toBeUndefined();
      if (!blocks.error) expect(blocks.samples.length, hint).toBe(whole.length);
    }
    silenced.mockRestore();
  });
});

/** As reference/audio_differences.py calls it. */
function kindOf(name: string): string {
  const kinds: Record<string, string> = { ".ogg": "vorbis", ".oga": "flac" };
  return kinds[extname(name)] ?? extname(name).slice(1);
}
