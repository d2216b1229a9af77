import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { corpusDirectory } from "../../../test/fixtures/corpus-fixture.js";
import { readAudio } from "../../audio/audio-file.js";
import { encodeWav } from "../../audio/wav/wav.js";
import { Random } from "../random.js";
import type { Utterance } from "../utterance.js";
import { readCorpus } from "./corpus.js";
import { divideLong, filterByDuration, truncateDuration } from "./filter.js";

it("filterByDuration keeps both limits and counts what it drops", () => {
  const utterances = [0.4, 0.5, 1, 2, 2.1, 30].map((seconds) => ({ seconds }));
  const { kept, tooShort, tooLong } = filterByDuration(utterances, { minSeconds: 0.5, maxSeconds: 2 });
  expect(kept.map(({ seconds }) => seconds)).toEqual([0.5, 1, 2]);
  expect({ tooShort, tooLong }).toEqual({ tooShort: 1, tooLong: 2 });
});

it("truncateDuration cuts longer utterances alone, from where they begin", () => {
  const short = { id: "a", path: "a", samples: 16000, seconds: 1 };
  const long = { id: "b", path: "b", samples: 32000, seconds: 2, start: 3 };
  const [first, second] = truncateDuration([short, long], 1.17);
  expect(first).toBe(short);
  expect(second).toEqual({ ...long, end: 4.16, samples: 18560, seconds: 1.16 });
  expect(truncateDuration([long], 1.16)[0]!.samples).toBe(18560);
});

describe("divideLong", () => {
  /** What cuts are rounded to, in seconds: a part may be so much shorter than told. */
  const ROUNDING = 0.04;

  /** That parts are whole, one behind the other, and long enough. */
  function requireWhole(whole: Utterance, parts: readonly Utterance[], limit: number): void {
    expect(parts).toHaveLength(Math.max(1, Math.floor(whole.seconds / limit)));
    expect(parts[0]!.start ?? 0).toBe(whole.start ?? 0);
    expect(parts.at(-1)!.end).toBe(whole.end);
    for (const [index, { start, seconds, samples }] of parts.entries()) {
      if (index > 0) expect(start).toBe(parts[index - 1]!.end);
      expect(seconds).toBe(samples / 16000);
      expect(seconds).toBeGreaterThan(Math.min(limit, whole.seconds) - ROUNDING - 1e-9);
      expect(seconds).toBeLessThan(whole.seconds / parts.length + ROUNDING + 1e-9); // as long as the others
    }
    expect(parts.reduce((sum, { samples }) => sum + samples, 0)).toBe(whole.samples);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
  }

  it("leaves alone what does not hold the limit twice", () => {
    const clip = { id: "a", path: "a", samples: 31999, seconds: 31999 / 16000 };
    expect(divideLong([clip], 1)[0]).toBe(clip);
    expect(divideLong([{ ...clip, samples: 32000, seconds: 2 }], 1)).toEqual([
      { id: "a@0.00-1.00", partOf: "a", path: "a", start: 0, end: 1, samples: 16000, seconds: 1 },
      { id: "a@1.00-2.00", partOf: "a", path: "a", start: 1, samples: 16000, seconds: 1 },
    ]);
  });

  it("divides recordings of any length without gap or overlap", () => {
    const random = new Random(1, "recordings");
    for (let round = 0; round < 150; round++) {
      const limit = random.integer(2) ? 0.5 + 20 * random.uniform() : (10 + random.integer(500)) / 25;
      const samples = Math.round(16000 * limit * (0.1 + 12 * random.uniform()));
      const whole: Utterance = { id: "a", path: "a", samples, seconds: samples / 16000 };
      if (random.integer(2)) whole.start = random.integer(9000) / 1000;
      if (whole.start !== undefined && random.integer(2)) whole.end = whole.start + whole.seconds;
      requireWhole(whole, divideLong([whole], limit), limit);
    }
  });

  it.each([8000, 11025, 16000, 22050, 44100, 48000])(
    "gives the lengths that are read at %i Hz",
    async (rate) => {
      const { root, put, cache } = corpusDirectory();
      const random = new Random(rate, "noise");
      const rows: { audio: string; id: string; start?: number; end?: number }[] = [];
      // Whole files that end anywhere
      for (const [index, length] of [2.5 * rate, 3.217 * rate + 1, 4.9999 * rate].map(Math.floor).entries()) {
        const samples = Float32Array.from({ length }, () => random.uniform() - 0.5);
        put(`${index}.wav`, encodeWav(samples, rate));
        rows.push({ audio: `${index}.wav`, id: `whole-${index}` });
      }
      // Segments at milliseconds, to the end of the file and not
      rows.push({ audio: "2.wav", id: "a", start: 0.123, end: 3.457 });
      rows.push({ audio: "2.wav", id: "b", start: 0.999, end: 4.001 });
      rows.push({ audio: "2.wav", id: "c", start: 1.003 });
      rows.push({ audio: "1.wav", id: "d", end: 2.089 });
      rows.push({ audio: "2.wav", id: "e", start: 0.3, end: 4.1 }); // at 11,025 Hz halfway between two samples
      put("m.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
      const { utterances } = await readCorpus(join(root, "m.jsonl"), undefined, {
        cache,
        transcripts: "none",
      });
      expect(utterances).toHaveLength(rows.length);

      const limit = 0.83;
      const ids = new Set<string>();
      for (const whole of utterances) {
        const parts = divideLong([whole], limit);
        requireWhole(whole, parts, limit);
        const heard: number[] = [];
        for (const { id, path, start, end, samples, partOf } of parts) {
          ids.add(id);
          expect(partOf).toBe(whole.id);
          const read = await readAudio(path, { start, end });
          // Batches lengthen or cut by a sample what was rounded another way, and refuse the rest
          expect(Math.abs(read.length - samples), `${id}: ${read.length} for ${samples}`).toBeLessThanOrEqual(
            1,
          );
          if (rate === 16000) heard.push(...read);
        }
        const all = await readAudio(whole.path, { start: whole.start, end: whole.end });
        if (rate === 16000) expect(heard).toEqual([...all]);
      }
      expect(ids.size).toBe(utterances.flatMap((whole) => divideLong([whole], limit)).length);
      expect(ids.size).toBeGreaterThan(2.5 * rows.length);
    },
  );
});
