import { describe, expect, it } from "vitest";
import { UserError } from "../../errors.js";
import { Random } from "../random.js";
import {
  type BatchLimits,
  batchOrder,
  epochOfBatches,
  lengthBucketedBatches,
  paddingShare,
  shareOfBatches,
} from "./batches.js";

type Clip = { samples: number };

function corpus(count: number, seed: number, shortest = 0.1, longest = 20): Clip[] {
  const random = new Random(seed, "corpus");
  return Array.from({ length: count }, () => ({
    samples: Math.round(16000 * (shortest + (longest - shortest) * random.uniform())),
  }));
}

/** Most clips of LibriSpeech's training splits have 12 to 16 s, the others spread over 1.4 to 24.5 s. */
function likeLibriSpeech(count: number, seed: number): Clip[] {
  const random = new Random(seed, "corpus");
  return Array.from({ length: count }, () => {
    const common = random.uniform() < 0.65;
    const seconds = common ? 12 + 4 * Math.sqrt(random.uniform()) : 1.4 + 15 * random.uniform() ** 0.8;
    return { samples: Math.round(16000 * seconds) };
  });
}

const longestOf = (utterances: readonly Clip[], batch: readonly number[]) =>
  Math.max(...batch.map((index) => utterances[index]!.samples));

const take = <T>(iterator: Iterator<T>, count: number): T[] =>
  Array.from({ length: count }, () => iterator.next().value as T);

function randomLimits(random: Random): BatchLimits {
  const kind = random.integer(3);
  return {
    batchSeconds: kind === 0 ? undefined : 1 + 60 * random.uniform(),
    batchSize: kind === 1 ? undefined : 1 + random.integer(12),
  };
}

describe("lengthBucketedBatches", () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))("holds its promises on corpus %i", (seed) => {
    const random = new Random(seed, "options");
    const utterances = corpus(random.integer(300), seed);
    const limits = randomLimits(random);
    const { batchSeconds = Number.POSITIVE_INFINITY, batchSize = Number.POSITIVE_INFINITY } = limits;
    const shuffle = random.uniform() < 0.8;
    const batches = lengthBucketedBatches(utterances, { ...limits, seed, epoch: 2, shuffle });
    expect(batches.flat().sort((a, b) => a - b)).toEqual(utterances.map((_, index) => index));
    for (const batch of batches) {
      expect(batch.length).toBeGreaterThan(0);
      expect(batch.length).toBeLessThanOrEqual(batchSize);
      if (batch.length > 1) {
        expect(longestOf(utterances, batch) * batch.length).toBeLessThanOrEqual(batchSeconds * 16000);
      }
    }
  });

  it("puts clips of any length together where lengths do not matter, within the limits", () => {
    const utterances = likeLibriSpeech(400, 3);
    const options = { batchSize: 8, seed: 1, epoch: 0 };
    const grouped = lengthBucketedBatches(utterances, options);
    const mixed = lengthBucketedBatches(utterances, { ...options, groupByLength: false });
    expect(mixed.flat().sort((a, b) => a - b)).toEqual(utterances.map((_, index) => index));
    expect(mixed).toHaveLength(grouped.length);
    expect(paddingShare(utterances, mixed)).toBeGreaterThan(3 * paddingShare(utterances, grouped));
    const seconds = { batchSeconds: 60, seed: 1, groupByLength: false };
    const limited = lengthBucketedBatches(utterances, { ...seconds, epoch: 0 });
    for (const batch of limited)
      expect(longestOf(utterances, batch) * batch.length).toBeLessThanOrEqual(60 * 16000);
    expect(lengthBucketedBatches(utterances, { ...seconds, epoch: 0 })).toEqual(limited);
    expect(lengthBucketedBatches(utterances, { ...seconds, epoch: 1 })).not.toEqual(limited);
    const still = { batchSize: 3, seed: 1, epoch: 0, groupByLength: false, shuffle: false };
    expect(lengthBucketedBatches(utterances.slice(0, 5), still)).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
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

  it("goes from the longest to the shortest without shuffling, the same every epoch", () => {
    const utterances = corpus(200, 1);
    const batches = (epoch: number) =>
      lengthBucketedBatches(utterances, { batchSeconds: 60, seed: 1, epoch, shuffle: false });
    const lengths = batches(0)
      .flat()
      .map((index) => utterances[index]!.samples);
    expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
    expect(batches(3)).toEqual(batches(0));
  });

  it.each([{ batchSeconds: 100 }, { batchSize: 8 }, { batchSize: 16 }, { batchSize: 32 }])(
    "pads less than 5 %% of lengths as LibriSpeech's, in an order that rises as often as it falls: %o",
    (limits) => {
      const utterances = likeLibriSpeech(8000, 2);
      const batches = lengthBucketedBatches(utterances, { ...limits, seed: 1, epoch: 0 });
      expect(paddingShare(utterances, batches)).toBeLessThan(0.05);
      const lengths = batches.map((batch) => utterances[batch[0]!]!.samples);
      const rises = lengths.filter((length, i) => i > 0 && length > lengths[i - 1]!).length;
      expect(rises / lengths.length).toBeGreaterThan(0.35);
      expect(rises / lengths.length).toBeLessThan(0.65);
    },
  );

  it("gives a clip beyond the limit a batch of its own", () => {
    const utterances = [{ samples: 16000 }, { samples: 80000 }, { samples: 16000 }];
    const batches = lengthBucketedBatches(utterances, { batchSeconds: 2, seed: 0, epoch: 0 });
    expect(batches.map((batch) => batch.toSorted()).sort()).toEqual([[0, 2], [1]]);
  });

  it("takes clips of hours and clips without a sample", () => {
    const utterances = [{ samples: 16000 * 3600 * 24 }, { samples: 0 }, { samples: 0 }, { samples: 1 }];
    const batches = lengthBucketedBatches(utterances, { batchSeconds: 1, seed: 0, epoch: 0, shuffle: false });
    expect(batches.map((batch) => batch.toSorted())).toEqual([[0], [1, 2, 3]]);
  });

  it("refuses limits that fit nothing and none at all", () => {
    const batches = (options: object) => () =>
      lengthBucketedBatches([{ samples: 1 }], { seed: 0, epoch: 0, ...options });
    expect(batches({})).toThrow("batchSeconds or batchSize must be given");
    expect(batches({ batchSeconds: 0 })).toThrow("batchSeconds must be positive");
    expect(batches({ batchSize: 0 })).toThrow("batchSize must be at least 1");
  });
});

describe("shareOfBatches", () => {
  const everyRank = (size: number) => Array.from({ length: size }, (_, rank) => ({ rank, size }));

  it.each(Array.from({ length: 40 }, (_, seed) => seed))(
    "gives each batch to one process, in turns: %i",
    (seed) => {
      const random = new Random(seed, "options");
      const size = 1 + random.integer(8);
      const utterances = corpus(1 + random.integer(300), seed);
      const limits = randomLimits(random);
      const order = () => batchOrder(utterances, { ...limits, seed });
      const steps = 5;
      const whole = take(order(), steps * size);
      const shares = everyRank(size).map((share) => take(shareOfBatches(order(), share), steps));
      for (let step = 0; step < steps; step++) {
        const row = whole.slice(step * size, (step + 1) * size);
        for (const [rank, share] of shares.entries()) {
          expect(share[step]).toEqual({ ...row[rank], next: row.at(-1)!.next });
        }
      }
    },
  );

  it.each([
    [2, 1],
    [2, 3],
    [1, 4],
    [3, 2],
  ])("goes on from %d processes to %d without a clip twice or never", (before, after) => {
    const utterances = corpus(97, 5);
    const options = { batchSeconds: 20, seed: 2 };
    const { length } = lengthBucketedBatches(utterances, { ...options, epoch: 0 });
    const stopped = Math.floor(length / before / 2);
    const first = everyRank(before).map((share) =>
      take(shareOfBatches(batchOrder(utterances, options), share), stopped),
    );
    const { next } = first[0]!.at(-1)!;
    for (const rank of first) expect(rank.at(-1)!.next).toEqual(next);
    const left = Math.ceil((length - stopped * before) / after);
    const second = everyRank(after).map((share) =>
      take(shareOfBatches(batchOrder(utterances, options, next), share), left),
    );
    const heard = [...first, ...second].flat().filter(({ epoch }) => epoch === 0);
    expect(heard.flatMap(({ indices }) => indices).sort((a, b) => a - b)).toEqual(
      utterances.map((_, index) => index),
    );
  });

  it("divides a plan that ends, such as that of a validation", () => {
    const plan = epochOfBatches(corpus(20, 1), { batchSize: 3, seed: 0, epoch: 0 });
    const shares = everyRank(3).map((share) => [...shareOfBatches(plan, share)]);
    expect(shares.map((share) => share.length)).toEqual([3, 2, 2]);
    expect(
      shares
        .flat()
        .flatMap(({ indices }) => indices)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 20 }, (_, index) => index));
  });

  it.each([{ batchSeconds: 100 }])("gives the processes of a step about as much to compute: %o", (limits) => {
    const utterances = likeLibriSpeech(4000, 3);
    const batches = lengthBucketedBatches(utterances, { ...limits, seed: 1, epoch: 0 });
    for (const size of [2, 8]) {
      let all = 0;
      let waited = 0;
      for (let start = 0; start + size <= batches.length; start += size) {
        const padded = batches
          .slice(start, start + size)
          .map((batch) => longestOf(utterances, batch) * batch.length);
        all += size * Math.max(...padded);
        waited += size * Math.max(...padded) - padded.reduce((sum, samples) => sum + samples, 0);
      }
      expect(waited / all).toBeLessThan(0.09);
    }
  });

  it("refuses ranks that there are not", () => {
    expect(() => shareOfBatches([], { rank: 1, size: 1 }).next()).toThrow("rank must be");
    expect(() => shareOfBatches([], { rank: 0.5, size: 2 }).next()).toThrow("rank must be");
  });
});

describe("batchOrder", () => {
  it("is every epoch's batches one after another", () => {
    const utterances = corpus(50, 4);
    const options = { batchSeconds: 40, seed: 3 };
    const epochs = [0, 1, 2].map((epoch) => lengthBucketedBatches(utterances, { ...options, epoch }));
    const planned = epochs.flatMap((batches, epoch) =>
      batches.map((indices, batch) => ({ epoch, batch, indices, next: { epoch, batch: batch + 1 } })),
    );
    expect(take(batchOrder(utterances, options), planned.length)).toEqual(planned);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))("goes on from any position: %i", (seed) => {
    const random = new Random(seed, "positions");
    const options = { ...randomLimits(random), seed };
    const utterances = corpus(10 + random.integer(60), seed);
    const whole = take(batchOrder(utterances, options), 60);
    for (const [at, { epoch, batch }] of whole.entries()) {
      const rest = whole.slice(at, at + 8);
      expect(take(batchOrder(utterances, options, { epoch, batch }), rest.length)).toEqual(rest);
      // The place behind a batch, also where the epoch ends there.
      const next = { epoch, batch: batch + 1 };
      const behind = whole.slice(at + 1, at + 5);
      expect(take(batchOrder(utterances, options, next), behind.length)).toEqual(behind);
    }
  });

  it("refuses positions of other data, and data without a clip", () => {
    const from = { epoch: 1, batch: 99 };
    expect(() => batchOrder(corpus(9, 1), { batchSize: 2, seed: 1 }, from).next()).toThrow(
      /must be within the 5 batches of epoch 1, but is batch 99/,
    );
    expect(() => batchOrder([], { batchSize: 2, seed: 1 }).next()).toThrow(UserError);
  });
});

describe("paddingShare", () => {
  it("is the share of zeros", () => {
    const utterances = [{ samples: 100 }, { samples: 50 }, { samples: 30 }];
    expect(paddingShare(utterances, [[0, 1], [2]])).toBeCloseTo(50 / 230);
    expect(paddingShare(utterances, [])).toBe(0);
  });
});
