import { describe, expect, it } from "vitest";
import { Random } from "../../src/data/random.js";
import { sampleNegatives } from "../../src/model/heads/pretraining/negatives.js";
import { type SpanOptions, sampleSpans } from "../../src/model/span-mask.js";
import { Golden } from "./golden.js";

// Made by reference/golden_sampling.py with Hugging Face's _compute_mask_indices and _sample_negative_indices.

/** Of the standard normal distribution: one right sampler in 300,000 would exceed it. The seeds here are fixed. */
const BOUND = 4.5;
const DRAWS = 5000;

const golden = await Golden.load("sampling");
const masks: (SpanOptions & { min_masks: number; lengths: number[] })[] = JSON.parse(golden.metadata.masks!);
const negatives: { masked: number[][]; width: number; count: number }[] = JSON.parse(
  golden.metadata.negatives!,
);

type Histograms = Record<"masked" | "runs" | "first" | "last", number[]>;
type MaskSampler = typeof sampleSpans;

/** For each row of setting `index`, what reference/golden_sampling.py counts. */
function maskHistograms(sampler: MaskSampler, index: number): Histograms[] {
  const { probability, length, min_masks: minSpans, lengths } = masks[index]!;
  const width = Math.max(...lengths);
  const random = new Random(20060, `masks ${index}`);
  const empty = () => Array<number>(width + 1).fill(0);
  const rows = lengths.map(
    (): Histograms => ({ masked: empty(), runs: empty(), first: empty(), last: empty() }),
  );
  for (let draw = 0; draw < DRAWS; draw++) {
    const mask = sampler(lengths, width, { probability, length, minSpans }, () => random.uniform());
    for (const [row, counts] of rows.entries()) {
      const own = mask.subarray(row * width, (row + 1) * width);
      const steps = [...own.keys()].filter((step) => own[step]);
      const runs = steps.filter((step) => !own[step - 1]).length;
      counts.masked[steps.length]!++;
      counts.runs[runs]!++;
      counts.first[steps[0] ?? width]!++;
      counts.last[steps.at(-1) ?? width]!++;
    }
  }
  return rows;
}

/** The largest deviation from Hugging Face's of any histogram of any row. */
function maskDeviation(sampler: MaskSampler, index: number): number {
  const deviations = maskHistograms(sampler, index).flatMap((histograms, row) =>
    Object.entries(histograms).map(([name, counts]) =>
      deviation(counts, golden.get(`mask.${index}.${row}.${name}`).toArray()),
    ),
  );
  return Math.max(...deviations);
}

function negativeDeviation(sampler: typeof sampleNegatives, index: number): number {
  const { masked, width, count } = negatives[index]!;
  const mask = new Uint8Array(masked.length * width);
  for (const [row, frames] of masked.entries()) for (const frame of frames) mask[row * width + frame] = 1;
  const random = new Random(20060, `negatives ${index}`);
  const counts = Array.from(mask, () => Array<number>(mask.length).fill(0));
  for (let draw = 0; draw < DRAWS; draw++) {
    const drawn = sampler(mask, width, count, () => random.uniform());
    for (const [place, negative] of drawn.entries()) {
      const frame = Math.floor(place / count);
      if (mask[frame]) counts[frame]![negative]!++;
    }
  }
  const expected = golden.get(`negatives.${index}`).toArray();
  const rows = counts.map((row, frame) =>
    deviation(row, expected.slice(frame * mask.length, (frame + 1) * mask.length)),
  );
  return Math.max(...rows);
}

/**
 * Whether two histograms are of one distribution: the chi-square statistic of both as a standard normal deviate
 * (Wilson and Hilferty 1931). Bins with fewer than 10 entries in both together are taken as one.
 */
function deviation(a: readonly number[], b: readonly number[]): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const ratio = Math.sqrt(sum(b) / sum(a));
  const bins: [number, number][] = [];
  const rest: [number, number] = [0, 0];
  for (const [bin, count] of a.entries()) {
    if (count + b[bin]! >= 10) bins.push([count, b[bin]!]);
    else {
      rest[0] += count;
      rest[1] += b[bin]!;
    }
  }
  if (rest[0] + rest[1] > 0) bins.push(rest);
  if (bins.length < 2) return 0;
  const statistic = sum(bins.map(([x, y]) => (ratio * x - y / ratio) ** 2 / (x + y)));
  const spread = 2 / (9 * (bins.length - 1));
  return (Math.cbrt(statistic / (bins.length - 1)) - (1 - spread)) / Math.sqrt(spread);
}

describe("masks", () => {
  it.each(masks.map((options, index) => [JSON.stringify(options), index] as const))(
    "are distributed as Hugging Face's: %s",
    (_, index) => {
      expect(maskDeviation(sampleSpans, index)).toBeLessThan(BOUND);
    },
  );

  const oneLess = (lengths: readonly number[]) => lengths.map((length) => length - 1);
  const wrong: Record<string, MaskSampler> = {
    "never start at the last possible step": (lengths, width, options, uniform) =>
      sampleSpans(oneLess(lengths), width, options, uniform),
    "never start at the first step": (lengths, width, options, uniform) => {
      const mask = sampleSpans(oneLess(lengths), width, options, uniform);
      return mask.map((_, place) => (place % width === 0 ? 0 : mask[place - 1]!));
    },
    "round the number of spans down": (lengths, width, options, uniform) => {
      let draws = 0;
      return sampleSpans(lengths, width, options, () => (draws++ === 0 ? 0 : uniform()));
    },
    "have one span more": (lengths, width, options, uniform) =>
      sampleSpans(lengths, width, { ...options, minSpans: options.minSpans + 1 }, uniform),
    "are one step longer": (lengths, width, options, uniform) =>
      sampleSpans(lengths, width, { ...options, length: options.length + 1 }, uniform),
    "prefer early steps": (lengths, width, options, uniform) => {
      let draws = 0;
      return sampleSpans(lengths, width, options, () => (draws++ === 0 ? uniform() : uniform() ** 1.2));
    },
  };
  it.each(Object.keys(wrong))("that %s are told from them", (name) => {
    const deviations = masks.map((_, index) => maskDeviation(wrong[name]!, index));
    expect(Math.max(...deviations)).toBeGreaterThan(2 * BOUND);
  });
});

describe("negatives", () => {
  it.each(negatives.map((options, index) => [JSON.stringify(options), index] as const))(
    "are distributed as Hugging Face's: %s",
    (_, index) => {
      expect(negativeDeviation(sampleNegatives, index)).toBeLessThan(BOUND);
    },
  );

  const wrong: Record<string, typeof sampleNegatives> = {
    "prefer early frames": (mask, width, count, uniform) =>
      sampleNegatives(mask, width, count, () => uniform() ** 1.2),
    "are of the first clip": (mask, width, count, uniform) =>
      sampleNegatives(mask, width, count, uniform).map((frame) => frame % width),
  };
  it.each(Object.keys(wrong))("that %s are told from them", (name) => {
    const deviations = negatives.map((_, index) => negativeDeviation(wrong[name]!, index));
    expect(Math.max(...deviations)).toBeGreaterThan(2 * BOUND);
  });
});
