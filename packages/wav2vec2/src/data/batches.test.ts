import { describe, expect, it } from "vitest";
import { lengthBucketedBatches, paddingShare } from "./batches.js";
import { Random } from "./random.js";

function corpus(count: number, seed: number, shortest = 0.1, longest = 20): { samples: number }[] {
  const random = new Random(seed, "corpus");
  return Array.from({ length: count }, () => ({
    samples: Math.round(16000 * (shortest + (longest - shortest) * random.uniform())),
  }));
}

describe("lengthBucketedBatches", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed))("holds its promises on corpus %i", (seed) => {
    const random = new Random(seed, "options");
    const utterances = corpus(random.integer(300), seed);
    const batchSeconds = 1 + 60 * random.uniform();
    const maxUtterances = random.uniform() < 0.5 ? 1 + random.integer(12) : Number.POSITIVE_INFINITY;
    const batches = lengthBucketedBatches(utterances, { batchSeconds, seed, epoch: 2, maxUtterances });
    expect(batches.flat().sort((a, b) => a - b)).toEqual(utterances.map((_, index) => index));
    for (const batch of batches) {
      const longest = Math.max(...batch.map((index) => utterances[index]!.samples));
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(maxUtterances);
      if (batch.length > 1) expect(longest * batch.length).toBeLessThanOrEqual(batchSeconds * 16000);
    }
  });

  it("depends on seed and epoch alone", () => {
    const utterances = corpus(200, 1);
    const batches = (seed: number, epoch: number) =>
      lengthBucketedBatches(utterances, { batchSeconds: 60, seed, epoch });
    expect(batches(5, 0)).toEqual(batches(5, 0));
    expect(batches(5, 1)).not.toEqual(batches(5, 0));
    expect(batches(6, 0)).not.toEqual(batches(5, 0));
    const groups = (epoch: number) => new Set(batches(5, epoch).map((batch) => batch.toSorted().join()));
    const kept = [...groups(1)].filter((group) => groups(0).has(group));
    expect(kept.length).toBeLessThan(groups(0).size / 2); // other companions, not only another order
  });

  it("pads little and does not go from short to long", () => {
    const utterances = corpus(2000, 2, 1, 17);
    const batches = lengthBucketedBatches(utterances, { batchSeconds: 100, seed: 1, epoch: 0 });
    expect(paddingShare(utterances, batches)).toBeLessThan(0.06);
    const lengths = batches.map((batch) => utterances[batch[0]!]!.samples);
    const rises = lengths.filter((length, i) => i > 0 && length > lengths[i - 1]!).length;
    expect(rises / lengths.length).toBeGreaterThan(0.35);
    expect(rises / lengths.length).toBeLessThan(0.65);
  });

  it("gives a clip beyond the limit a batch of its own", () => {
    const utterances = [{ samples: 16000 }, { samples: 80000 }, { samples: 16000 }];
    const batches = lengthBucketedBatches(utterances, { batchSeconds: 2, seed: 0, epoch: 0 });
    expect(batches.map((batch) => batch.toSorted()).sort()).toEqual([[0, 2], [1]]);
  });

  it("refuses limits that fit nothing", () => {
    expect(() => lengthBucketedBatches([], { batchSeconds: 0, seed: 0, epoch: 0 })).toThrow("batchSeconds");
    expect(() => lengthBucketedBatches([], { batchSeconds: 1, seed: 0, epoch: 0, maxUtterances: 0 })).toThrow(
      "maxUtterances",
    );
  });
});

describe("paddingShare", () => {
  it("is the share of zeros", () => {
    const utterances = [{ samples: 100 }, { samples: 50 }, { samples: 30 }];
    expect(paddingShare(utterances, [[0, 1], [2]])).toBeCloseTo(50 / 230);
    expect(paddingShare(utterances, [])).toBe(0);
  });
});
