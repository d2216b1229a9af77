import { describe, expect, it, vi } from "vitest";
import { DEFAULT_CONFIG, featureFrames } from "../../model/configuration.js";
import { Random } from "../random.js";
import {
  collatePreTraining,
  type PreTrainingBatch,
  type PreTrainingCollation,
  type PreTrainingItem,
} from "./pretraining-collator.js";

// Threads that prepare batches map no libtorch: loading it anywhere below the collator fails this whole file.
vi.mock("@wav2vec2/libtorch", () => {
  throw new Error("The collator must not load libtorch.");
});

const PAPER: PreTrainingCollation = {
  convKernel: DEFAULT_CONFIG.convKernel,
  convStride: DEFAULT_CONFIG.convStride,
  maskTimeProb: 0.65,
  maskTimeLength: 10,
  maskTimeMinMasks: 2,
  numNegatives: 5,
  padding: "pad",
};

const draws = (...stream: (string | number)[]) => {
  const random = new Random(9, ...stream);
  return () => random.uniform();
};

/** Clips whose samples count up from 1, so that a piece tells where it comes from. */
const clips = (lengths: readonly number[]): PreTrainingItem[] =>
  lengths.map((length, i) => ({ id: `${i}`, samples: Float32Array.from({ length }, (_, t) => t + 1) }));

const rowOf = ({ input, paddedLength }: PreTrainingBatch, row: number) =>
  input.subarray(row * paddedLength, (row + 1) * paddedLength);

/** What holds for every batch. */
function expectSound(batch: PreTrainingBatch, items: PreTrainingItem[], options: PreTrainingCollation) {
  const { lengths, frames, time, mask, negatives, paddedLength } = batch;
  const { numNegatives, maxSamples = Number.POSITIVE_INFINITY } = options;
  expect(batch.ids).toEqual(items.map(({ id }) => id));
  expect(paddedLength).toBe(Math.max(...lengths));
  expect(batch.input).toHaveLength(items.length * paddedLength);
  expect(time).toBe(featureFrames(options, paddedLength));
  expect(mask).toHaveLength(items.length * time);
  expect(negatives).toHaveLength(mask.length * numNegatives);
  expect(batch.maskedFrames).toBe(mask.filter((value) => value === 1).length);
  for (const [row, { samples }] of items.entries()) {
    const [own, length] = [rowOf(batch, row), lengths[row]!];
    expect(frames[row]).toBe(featureFrames(options, length));
    expect(frames[row]).toBeGreaterThan(0);
    expect(length).toBeLessThanOrEqual(Math.max(400, Math.min(samples.length, maxSamples)));
    const kept = Math.min(samples.length, length);
    const start = own[0]! - 1;
    expect(own.subarray(0, kept).every((sample, t) => sample === samples[start + t])).toBe(true);
    expect(own.subarray(kept).every((sample) => sample === 0)).toBe(true);

    const inRow = Array.from(mask.subarray(row * time, (row + 1) * time).entries())
      .filter(([, value]) => value)
      .map(([frame]) => frame);
    expect(inRow.length).toBeGreaterThanOrEqual(Math.min(options.maskTimeLength, frames[row]!));
    expect(inRow.at(-1)).toBeLessThan(frames[row]!);
    const allowed = new Set(inRow.map((frame) => row * time + frame));
    for (let frame = row * time; frame < (row + 1) * time; frame++) {
      const drawn = negatives.subarray(frame * numNegatives, (frame + 1) * numNegatives);
      if (!mask[frame]) expect(drawn.every((negative) => negative === 0)).toBe(true);
      else if (allowed.size === 1) expect(drawn.every((negative) => negative === frame)).toBe(true);
      else expect(drawn.every((negative) => negative !== frame && allowed.has(negative))).toBe(true);
    }
  }
}

describe("collatePreTraining", () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))("keeps its promises for any lengths: %i", (seed) => {
    const random = new Random(seed, "clips");
    const longest = [300, 1000, 4000, 10_000][random.integer(4)]!;
    const items = clips(Array.from({ length: 1 + random.integer(5) }, () => random.integer(longest)));
    const options: PreTrainingCollation = {
      ...PAPER,
      padding: random.uniform() < 0.5 ? "pad" : "crop",
      maskTimeProb: 0.1 + 0.9 * random.uniform(),
      maskTimeLength: 1 + random.integer(15),
      maskTimeMinMasks: 1 + random.integer(3),
      numNegatives: 1 + random.integer(8),
      maxSamples: random.uniform() < 0.5 ? 400 + random.integer(4000) : undefined,
    };
    const batch = collatePreTraining(items, options, draws(seed));
    expectSound(batch, items, options);
    if (options.padding === "crop") expect(new Set(batch.frames)).toEqual(new Set([batch.time]));

    const again = collatePreTraining(items, options, draws(seed));
    expect(again).toEqual(batch);
    const used = { ...options, allocate: (length: number) => new Float32Array(length).fill(7) };
    expect(collatePreTraining(items, used, draws(seed))).toEqual(batch);
  });

  it("draws other masks and negatives from other numbers", () => {
    const items = clips([16_000, 12_000]);
    const first = collatePreTraining(items, PAPER, draws("a"));
    const other = collatePreTraining(items, PAPER, draws("b"));
    expect(other.input).toEqual(first.input);
    expect(other.mask).not.toEqual(first.mask);
    expect(other.negatives).not.toEqual(first.negatives);
  });

  it.each(["pad", "crop"] as const)("masks about 49 % of the frames as the paper does: %s", (padding) => {
    const random = new Random(3, "clips");
    const items = clips(Array.from({ length: 24 }, () => 180_000 + random.integer(40_000)));
    const options = { ...PAPER, padding, numNegatives: 1 };
    const { maskedFrames, frames } = collatePreTraining(items, options, draws(padding));
    const share = maskedFrames / frames.reduce((sum, count) => sum + count, 0);
    expect(share).toBeGreaterThan(0.47);
    expect(share).toBeLessThan(0.51);
  });

  it("masks all of a clip that is shorter than a span, and a single frame has itself for negatives", () => {
    const batch = collatePreTraining(clips([0, 16_000]), PAPER, draws());
    expect([...batch.lengths]).toEqual([400, 16_000]);
    expect([...batch.frames]).toEqual([1, 49]);
    expect([...batch.mask.subarray(0, 3)]).toEqual([1, 0, 0]);
    expect([...batch.negatives.subarray(0, 6)]).toEqual([0, 0, 0, 0, 0, 0]);
    const second = collatePreTraining(clips([16_000, 400]), PAPER, draws());
    expect([...second.negatives.subarray(49 * 5, 50 * 5)]).toEqual([49, 49, 49, 49, 49]);
  });

  it("cuts all clips to the shortest, each start as likely, only with crop", () => {
    const lengths = [405, 400, 402];
    expect([...collatePreTraining(clips(lengths), PAPER, draws()).lengths]).toEqual(lengths);
    const counts = lengths.map(() => new Map<number, number>());
    const trials = 2000;
    for (let trial = 0; trial < trials; trial++) {
      const batch = collatePreTraining(clips(lengths), { ...PAPER, padding: "crop" }, draws(trial));
      expect([...batch.lengths]).toEqual([400, 400, 400]);
      for (const [row, seen] of counts.entries()) {
        const start = rowOf(batch, row)[0]! - 1;
        seen.set(start, (seen.get(start) ?? 0) + 1);
      }
    }
    for (const [row, seen] of counts.entries()) {
      const starts = lengths[row]! - 400 + 1;
      expect([...seen.keys()].sort()).toEqual(Array.from({ length: starts }, (_, start) => start));
      for (const count of seen.values()) expect(Math.abs(count / trials - 1 / starts)).toBeLessThan(0.04);
    }
  });

  it("cuts to maxSamples in both", () => {
    for (const padding of ["pad", "crop"] as const) {
      const { lengths } = collatePreTraining(
        clips([5000, 3000]),
        { ...PAPER, padding, maxSamples: 4000 },
        draws(),
      );
      expect([...lengths]).toEqual(padding === "pad" ? [4000, 3000] : [3000, 3000]);
    }
  });

  it("refuses no clips, and cuts too short for a frame", () => {
    expect(() => collatePreTraining([], PAPER, draws())).toThrow(
      "must hold at least one clip, but is empty.",
    );
    expect(() => collatePreTraining(clips([500]), { ...PAPER, maxSamples: 399 }, draws())).toThrow(
      "maxSamples must be at least 400",
    );
  });
});
