import { describe, expect, it } from "vitest";
import { UserError } from "../../errors.js";
import { Random } from "../random.js";
import { type BatchLimits, batchOrder, lengthBucketedBatches, paddingShare } from "./batches.js";

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

const everyRank = (world: number) => Array.from({ length: world }, (_, rank) => rank);

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

  it("refuses limits that fit nothing, none at all, and ranks that there are not", () => {
    const batches = (options: object) => () =>
      lengthBucketedBatches([{ samples: 1 }], { seed: 0, epoch: 0, ...options });
    expect(batches({})).toThrow("batchSeconds or batchSize must be given");
    expect(batches({ batchSeconds: 0 })).toThrow("batchSeconds must be positive");
    expect(batches({ batchSize: 0 })).toThrow("batchSize must be at least 1");
    expect(batches({ batchSize: 1, rank: 1 })).toThrow("rank must be");
    expect(batches({ batchSize: 1, rank: 0.5, world: 2 })).toThrow("rank must be");
  });
});

describe("batches of several processes", () => {
  it.each(Array.from({ length: 80 }, (_, seed) => seed))("hold their promises on corpus %i", (seed) => {
    const random = new Random(seed, "options");
    const world = 1 + random.integer(8);
    const utterances = corpus(world + random.integer(300), seed);
    const limits = randomLimits(random);
    const options = { ...limits, seed, epoch: seed % 3, world, shuffle: random.uniform() < 0.8 };
    const ranks = everyRank(world).map((rank) => lengthBucketedBatches(utterances, { ...options, rank }));
    for (const batches of ranks) expect(batches).toHaveLength(ranks[0]!.length);
    expect(ranks.flat(2).sort((a, b) => a - b)).toEqual(utterances.map((_, index) => index));

    const { batchSeconds = Number.POSITIVE_INFINITY, batchSize = Number.POSITIVE_INFINITY } = limits;
    const beyond = ranks
      .flat()
      .filter(
        (batch) =>
          batch.length > 1 &&
          (batch.length > batchSize || longestOf(utterances, batch) * batch.length > batchSeconds * 16000),
      );
    if (beyond.length === 0) return;
    // No other way: as many steps of one clip a rank as there can be, and clips left over, which are the shortest.
    expect(ranks[0]).toHaveLength(Math.floor(utterances.length / world));
    expect(beyond.length).toBeLessThanOrEqual(utterances.length % world);
    for (const batch of beyond) expect(batch).toHaveLength(2);
    const lengths = utterances.map(({ samples }) => samples).sort((a, b) => a - b);
    const shortest = lengths.at(Math.min(2 * world, lengths.length) - 1)!;
    for (const batch of beyond) expect(longestOf(utterances, batch)).toBeLessThanOrEqual(shortest * 1.05);
  });

  it("keep the limits where fewer clips than processes are left for the last step", () => {
    // Two clips a process fit: 4 + 4 + 1. The last step needs three more, which come from the one before.
    const utterances = Array.from({ length: 9 }, () => ({ samples: 16000 }));
    const ranks = everyRank(4).map((rank) =>
      lengthBucketedBatches(utterances, { batchSize: 2, seed: 0, epoch: 0, rank, world: 4 }),
    );
    expect(ranks.map((batches) => batches.length)).toEqual([2, 2, 2, 2]);
    expect(ranks.flat(2)).toHaveLength(9);
    expect(Math.max(...ranks.flat().map((batch) => batch.length))).toBe(2);
  });

  it("put one clip too many into the shortest batches where single clips cannot be divided", () => {
    const utterances = corpus(7, 1);
    const ranks = everyRank(2).map((rank) =>
      lengthBucketedBatches(utterances, {
        batchSize: 1,
        seed: 0,
        epoch: 0,
        rank,
        world: 2,
        shuffle: false,
      }),
    );
    expect(ranks.map((batches) => batches.map((batch) => batch.length))).toEqual([
      [1, 1, 1],
      [1, 1, 2],
    ]);
  });

  it.each([2, 3, 8])("are at each step of similar length and size for %i processes", (world) => {
    const utterances = likeLibriSpeech(4000, 3);
    for (const limits of [{ batchSeconds: 100 }, { batchSize: 8 }]) {
      const ranks = everyRank(world).map((rank) =>
        lengthBucketedBatches(utterances, { ...limits, seed: 1, epoch: 0, rank, world }),
      );
      let all = 0;
      let waited = 0;
      for (const step of ranks[0]!.keys()) {
        const padded = ranks.map((batches) => longestOf(utterances, batches[step]!) * batches[step]!.length);
        all += world * Math.max(...padded);
        waited += world * Math.max(...padded) - padded.reduce((sum, samples) => sum + samples, 0);
      }
      expect(waited / all).toBeLessThan(0.03);
    }
  });

  it("do not give one process always the longest", () => {
    const utterances = corpus(4000, 3);
    const totals = everyRank(2).map((rank) =>
      lengthBucketedBatches(utterances, { batchSize: 8, seed: 1, epoch: 0, rank, world: 2 })
        .flat()
        .reduce((sum, index) => sum + utterances[index]!.samples, 0),
    );
    expect(Math.abs(totals[0]! / totals[1]! - 1)).toBeLessThan(0.01);
    const longer = everyRank(2).map((rank) =>
      lengthBucketedBatches(utterances, { batchSize: 8, seed: 1, epoch: 0, rank, world: 2 }).map((batch) =>
        longestOf(utterances, batch),
      ),
    );
    const wins = longer[0]!.filter((longest, step) => longest > longer[1]![step]!).length;
    expect(wins / longer[0]!.length).toBeGreaterThan(0.35);
    expect(wins / longer[0]!.length).toBeLessThan(0.65);
  });

  it("need a clip for each", () => {
    const batches = () =>
      lengthBucketedBatches(corpus(3, 1), { batchSize: 8, seed: 0, epoch: 0, rank: 0, world: 4 });
    expect(batches).toThrow(UserError);
    expect(batches).toThrow("at least as many as the 4 processes that share them, but are 3");
  });
});

describe("batchOrder", () => {
  const take = <T>(iterator: Iterator<T>, count: number) =>
    Array.from({ length: count }, () => iterator.next().value);

  it("is every epoch's batches one after another", () => {
    const utterances = corpus(50, 4);
    const options = { batchSeconds: 40, seed: 3 };
    const epochs = [0, 1, 2].map((epoch) => lengthBucketedBatches(utterances, { ...options, epoch }));
    const planned = epochs.flatMap((batches, epoch) =>
      batches.map((indices, batch) => ({ epoch, batch, indices })),
    );
    expect(take(batchOrder(utterances, options), planned.length)).toEqual(planned);
  });

  it.each(Array.from({ length: 12 }, (_, seed) => seed))("goes on from any position: %i", (seed) => {
    const random = new Random(seed, "positions");
    const world = 1 + random.integer(3);
    const options = { ...randomLimits(random), seed, world, rank: random.integer(world) };
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
