import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { bootstrapClips, clipUnits } from "./bootstrap-clips.js";
import { classScores, confusionMatrix, countClip, countFrames, weightedScores } from "./class-scores.js";
import { readTrials } from "./trials-file.js";
import { allPairs, scoreTrials, type Trials, verificationScores } from "./verification.js";

const LABELS = ["a", "b", "c", "never"];
const PAIRS: [number, number][] = [
  [0, 0],
  [0, 0],
  [0, 1],
  [1, 1],
  [1, 2],
  [2, 2],
  [2, 2],
  [2, 0],
];
const counts = PAIRS.map(([reference, hypothesis]) => countClip(reference, hypothesis));

describe("scores of labels", () => {
  it("are counted as scikit-learn does, a label that is neither there nor said left out of the mean", () => {
    const { accuracy, macroF1, microF1, labels } = classScores(counts, LABELS);
    expect(accuracy).toBe(5 / 8);
    expect(microF1).toBeCloseTo(5 / 8);
    expect(macroF1).toBeCloseTo((2 / 3 + 1 / 2 + 2 / 3) / 3);
    expect(labels[0]).toEqual({
      label: "a",
      count: 3,
      predicted: 3,
      precision: 2 / 3,
      recall: 2 / 3,
      f1: 2 / 3,
    });
    expect(labels[1]).toMatchObject({ count: 2, predicted: 2, precision: 0.5, recall: 0.5, f1: 0.5 });
    expect(labels[3]).toMatchObject({ count: 0, predicted: 0, precision: 0, recall: 0, f1: 0 });
    expect(confusionMatrix(PAIRS, 3)).toEqual([
      [2, 1, 0],
      [0, 1, 1],
      [1, 0, 2],
    ]);
  });

  it("of clips that count twice are those of a list with them twice", () => {
    const weights = Float64Array.of(2, 0, 1, 1, 3, 1, 1, 0);
    const repeated = counts.flatMap((count, i) => Array.from({ length: weights[i]! }, () => count));
    const { accuracy, macroF1 } = classScores(repeated, LABELS);
    expect(weightedScores(counts, 4, weights)).toEqual([expect.closeTo(accuracy), expect.closeTo(macroF1)]);
  });

  it("of frames count each label that may be there, and all of a frame together", () => {
    const reference = Uint8Array.of(1, 0, 1, 1, 0, 0, 0, 1);
    const hypothesis = Uint8Array.of(1, 0, 1, 0, 0, 0, 1, 1);
    const all = countFrames(reference, hypothesis, 2, true);
    expect(all).toEqual({
      total: 4,
      right: 2,
      labels: [
        { id: 0, both: 2, said: 1, there: 0 },
        { id: 1, both: 1, said: 0, there: 1 },
      ],
    });
    expect(countFrames(reference, hypothesis, 2, false).total).toBe(3);
    const { macroF1, microF1 } = classScores([all], ["x", "y"]);
    expect(macroF1).toBeCloseTo((4 / 5 + 2 / 3) / 2);
    expect(microF1).toBeCloseTo(6 / 8);
  });
});

describe("intervals", () => {
  it("hold the share that was drawn in 19 of 20 cases, and are the same for a seed", () => {
    const random = new Random(7, "clips");
    let held = 0;
    for (let set = 0; set < 100; set++) {
      const clips = Array.from({ length: 60 }, () => countClip(0, Number(random.uniform() < 0.3)));
      const units = clips.map((_, place) => [place]);
      const statistic = (weights: Float64Array) => [weightedScores(clips, 2, weights)[0]];
      const [interval] = bootstrapClips(units, statistic, { resamples: 300, seed: 1 });
      if (set === 0)
        expect(bootstrapClips(units, statistic, { resamples: 300, seed: 1 })).toEqual([interval]);
      if (interval!.low <= 0.7 && 0.7 <= interval!.high) held++;
    }
    expect(held).toBeGreaterThan(85);
    expect(held).toBeLessThanOrEqual(100);
  });

  it("draw speakers where there are enough", () => {
    const clips = Array.from({ length: 24 }, (_, i) => ({ id: String(i), speaker: String(i % 12) }));
    expect(clipUnits(clips, "speaker")).toHaveLength(12);
    expect(clipUnits(clips, "speaker")[0]).toEqual([0, 12]);
    expect(() => clipUnits(clips.slice(0, 5), "speaker")).toThrow(
      "There must be 10 speakers to draw them, but there are 5.",
    );
    expect(() => clipUnits([{ id: "x" }], "speaker")).toThrow("that of x is not");
  });
});

const trials = (same: number[]): Trials => ({
  first: Int32Array.from(same.keys()),
  second: Int32Array.from(same.keys(), (i) => i + same.length),
  same: Uint8Array.from(same),
});
/** Trials whose scores are given: of a clip with angle 0 and one whose cosine to it is the score. */
function scored(same: number[], scores: number[]) {
  const first = scores.map(() => Float32Array.of(1, 0));
  const second = scores.map((score) => Float32Array.of(score, Math.sqrt(1 - score * score)));
  return scoreTrials(trials(same), [...first, ...second]);
}

describe("verification", () => {
  it("finds the rate at which misses and false alarms are as frequent", () => {
    // from 0.6 on one of four is missed, and one of four is a false alarm
    const scores = scored([1, 1, 1, 0, 1, 0, 0, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]);
    const { equalErrorRate, threshold, minDcf, same } = verificationScores(scores);
    expect([equalErrorRate, threshold]).toEqual([expect.closeTo(0.25), expect.closeTo(0.6, 5)]);
    expect(minDcf).toBeCloseTo(0.25); // three of four found without a false alarm
    expect([scores.scores.length, same]).toEqual([8, 4]);
    expect(verificationScores(scored([1, 1, 0, 0], [0.9, 0.8, 0.2, 0.1])).equalErrorRate).toBe(0);
    expect(verificationScores(scored([0, 0, 1, 1], [0.9, 0.8, 0.2, 0.1])).equalErrorRate).toBe(1);
  });

  it("takes equal scores together, so that a model that says one thing is at chance", () => {
    const { equalErrorRate, minDcf } = verificationScores(scored([1, 0, 1, 0, 0], [0.5, 0.5, 0.5, 0.5, 0.5]));
    expect([equalErrorRate, minDcf]).toEqual([expect.closeTo(0.5), 1]);
  });

  it("counts a pair by both of its clips", () => {
    const speakers = ["x", "x", "y", "y"];
    const vectors = [0, 0.3, 0.2, 1.2].map((angle) => Float32Array.of(Math.cos(angle), Math.sin(angle)));
    const pairs = scoreTrials(allPairs(speakers), vectors);
    expect([...pairs.same]).toEqual([1, 0, 0, 0, 0, 1]);
    const twice = scoreTrials(allPairs([...speakers, "y"]), [...vectors, vectors[3]!]);
    const weights = Float64Array.of(1, 1, 1, 2);
    // The list with the clip twice has one pair more: of the clip with itself.
    const itself = [...twice.first.keys()].find((i) => twice.first[i] === 3 && twice.second[i] === 4)!;
    const rest = Int32Array.from(twice.order.filter((trial) => trial !== itself));
    const without = {
      ...twice,
      order: rest.map((trial) => (trial > itself ? trial - 1 : trial)),
      first: twice.first.filter((_, i) => i !== itself),
      second: twice.second.filter((_, i) => i !== itself),
      same: twice.same.filter((_, i) => i !== itself),
      scores: twice.scores.filter((_, i) => i !== itself),
    };
    expect(verificationScores(pairs, weights).equalErrorRate).toBeCloseTo(
      verificationScores(without).equalErrorRate,
    );
  });

  it("leaves clips out evenly where there are too many pairs, and needs pairs of both kinds", () => {
    const speakers = Array.from({ length: 1000 }, (_, i) => String(i % 7));
    const { first, second } = allPairs(speakers, 5000);
    expect(first.length).toBeLessThanOrEqual(5000);
    expect(first.length).toBeGreaterThan(4500);
    expect(Math.max(...second)).toBeGreaterThan(980);
    expect(() => allPairs(["a", "b", "c"])).toThrow("there is no pair of one speaker");
    expect(() => allPairs(["a", "a"])).toThrow("there is no pair of two speakers");
  });
});

describe("a list of trials", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "trials-"));
  });
  afterAll(() => rm(directory, { recursive: true }));
  const clips = [
    { id: "1-a", path: "/corpus/1/a.wav" },
    { id: "1-b", path: "/corpus/1/b.wav" },
    { id: "2-b", path: "/corpus/2/b.wav" },
  ];
  const read = async (text: string) => {
    const path = join(directory, "trials.txt");
    await writeFile(path, text);
    return readTrials(path, clips);
  };

  it("names clips by id, path or file name", async () => {
    const { first, second, same } = await read("1 1-a 1-b\n\n0 a.wav /corpus/2/b.wav\n");
    expect([[...first], [...second], [...same]]).toEqual([
      [0, 0],
      [1, 2],
      [1, 0],
    ]);
  });

  it.each([
    ["2 1-a 1-b", /trials\.txt:1 must be '1 <clip> <clip>' for one speaker/],
    ["1 1-a", /must be '1 <clip> <clip>'/],
    ["1 1-a x", /must name clips by id, path or file name, but of x there is none/],
    ["1 1-a b.wav", /but of b\.wav there are several/],
    ["1 1-a 1-b", /there is no pair of two speakers/],
  ])("that is wrong is refused: %s", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});
