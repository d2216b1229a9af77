import { describe, expect, test } from "vitest";
import { Random } from "../../data/random.js";
import { type Window, windows } from "./windows.js";

const UNIT = 320;

async function all(
  recording: Float32Array,
  pieces: Iterable<Float32Array>,
  step: number,
  context: number,
  first = step + context,
) {
  const found: Window[] = [];
  for await (const window of windows(pieces, { step, first, before: context, after: context, unit: UNIT })) {
    const heard = recording.subarray(window.start, window.start + window.samples.length);
    expect(Buffer.compare(bytes(window.samples), bytes(heard))).toBe(0);
    found.push(window);
  }
  return found;
}

function noise(length: number, random: Random): Float32Array {
  return Float32Array.from({ length }, () => random.uniform() - 0.5);
}

function bytes({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function* divided(recording: Float32Array, random: Random): Generator<Float32Array> {
  for (let start = 0; start < recording.length; ) {
    const end = Math.min(recording.length, start + 1 + random.integer(5000));
    yield recording.subarray(start, end);
    start = end;
  }
}

describe("windows", () => {
  test("cover any recording once, in order, with context on both sides, whatever the pieces", async () => {
    const random = new Random(1, "windows");
    for (let trial = 0; trial < 30; trial++) {
      const length = 1 + random.integer(60_000);
      const step = 3000 + random.integer(12_000);
      const context = random.integer(6000);
      const recording = noise(length, random);
      const found = await all(recording, divided(recording, random), step, context);
      let covered = 0;
      for (const [index, { samples, start, from, to }] of found.entries()) {
        const last = index === found.length - 1;
        expect(from).toBe(covered);
        expect(start).toBe(Math.max(0, from - context));
        expect(to === undefined).toBe(last);
        if (to === undefined) {
          expect(start + samples.length).toBe(length);
        } else {
          expect(to % UNIT).toBe(0);
          expect(to).toBeGreaterThan(from);
          expect(start + samples.length).toBe(to + context);
        }
        expect(samples.length).toBeLessThanOrEqual(step + 2 * context + UNIT);
        covered = to ?? length;
      }
      expect(covered).toBe(length);
      const others = await all(recording, divided(recording, random), step, context);
      expect(others.map(({ from }) => from)).toEqual(found.map(({ from }) => from));
    }
  });

  test("with a least size, they come as soon as so much is new, and take in more where more is there", async () => {
    const sizes = { step: 9600, first: 9600, least: 1600, before: 6400, after: 3200, unit: UNIT };
    const random = new Random(3, "eager");
    const recording = noise(64_000, random);
    let given = 0;
    async function* spoken() {
      for (; given < recording.length; given += 800) yield recording.subarray(given, given + 800);
    }
    let covered = 0;
    let seen = 0;
    for await (const { start, samples, from, to } of windows(spoken(), sizes)) {
      expect(from).toBe(covered);
      const end = start + samples.length;
      expect(end).toBeLessThanOrEqual(given + 800); // what has come so far, and no later
      if (to === undefined) expect(end).toBe(recording.length);
      else {
        expect(end - seen).toBeLessThanOrEqual(1600);
        expect(to === from || to + sizes.after <= end).toBe(true);
      }
      seen = end;
      covered = to ?? end;
    }
    expect(covered).toBe(recording.length);
    const atOnce: Window[] = [];
    for await (const window of windows([recording], sizes)) atOnce.push(window);
    expect(atOnce.length).toBeLessThan(12);
  });

  test("a recording that fits a window is one", async () => {
    const recording = new Float32Array(50_000).fill(0.1);
    const found = await all(recording, [recording], 30_000, 10_000);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({ start: 0, from: 0, to: undefined });
    expect(await all(recording, [recording], 30_000, 10_000, 30_000)).toHaveLength(2);
  });

  test("parts meet in pauses", async () => {
    const random = new Random(2, "pauses");
    const pauses = [34_000, 61_000, 92_000];
    const recording = noise(120_000, random);
    for (const pause of pauses) recording.fill(0, pause - 1000, pause + 1000);
    const found = await all(recording, [recording], 35_000, 5000);
    const cuts = found.flatMap(({ to }) => to ?? []);
    expect(cuts).toHaveLength(3);
    for (const [index, cut] of cuts.entries()) expect(Math.abs(cut - pauses[index]!)).toBeLessThan(1000);
  });

  test("nothing comes of nothing", async () => {
    expect(await all(new Float32Array(0), [], 1000, 100)).toEqual([]);
  });
});
