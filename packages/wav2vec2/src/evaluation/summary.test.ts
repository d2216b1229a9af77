import { describe, expect, it } from "vitest";
import { Random } from "../data/random.js";
import { sumErrors, textErrors } from "../text/scoring/error-rate.js";
import type { EvaluatedUtterance } from "./evaluation.js";
import {
  bootstrapUnits,
  confusionsOf,
  groupScores,
  lengthBucket,
  scoresOf,
  worstUtterances,
} from "./summary.js";

function utterance(
  id: string,
  reference: string,
  hypothesis: string,
  more: Partial<EvaluatedUtterance> = {},
) {
  const acoustic = { path: `${id}.flac`, seconds: 3, frames: 149, blankShare: 0.5, confidence: 0.9 };
  return { id, reference, hypothesis, ...acoustic, ...textErrors(reference, hypothesis), ...more };
}

describe("groupScores", () => {
  it("puts every utterance into one group of each table, and the groups' errors are all errors", () => {
    const random = new Random(4, "groups");
    const text = () => Array.from({ length: random.integer(9) }, () => "abcd"[random.integer(4)]).join(" ");
    const utterances = Array.from({ length: 120 }, (_, i) =>
      utterance(String(i), text(), text(), {
        split: i % 2 ? "a" : "b",
        speaker: String(random.integer(12)),
        seconds: random.uniform() * 30,
      }),
    );
    const groups = groupScores(utterances, 0);
    const all = scoresOf(utterances);
    for (const table of Object.values(groups)) {
      const sum = (
        key: "utteranceCount" | "words" | "substitutions" | "deletions" | "insertions" | "characters",
      ) => table.reduce((total, group) => total + group[key], 0);
      expect(sum("utteranceCount")).toBe(120);
      for (const key of ["words", "substitutions", "deletions", "insertions", "characters"] as const)
        expect(sum(key)).toBe(all[key]);
      for (const { wer, werInterval, utteranceCount } of table) {
        if (utteranceCount < 5) continue;
        expect(werInterval.low).toBeLessThanOrEqual(wer);
        expect(werInterval.high).toBeGreaterThanOrEqual(wer);
      }
    }
    expect(groups.split.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(groups.speaker.map(({ name }) => name)).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
    expect(groups.length.map(({ name }) => name)).toEqual(["0-2", "2-5", "5-10", "10-15", "15-20", "20+"]);
  });

  it("leaves tables empty that a corpus does not tell", () => {
    const groups = groupScores([utterance("a", "A", "A")], 0);
    expect([groups.split, groups.speaker]).toEqual([[], []]);
    expect(groups.length).toMatchObject([{ name: "2-5", utteranceCount: 1, wer: 0 }]);
  });
});

it.each([
  [0, "0-2"],
  [1.99, "0-2"],
  [2, "2-5"],
  [19.99, "15-20"],
  [20, "20+"],
  [3600, "20+"],
])("%d s are in the bucket %s", (seconds, name) => expect(lengthBucket(seconds)).toBe(name));

describe("bootstrapUnits", () => {
  const ten = Array.from({ length: 20 }, (_, i) =>
    utterance(String(i), "A B", "A", { speaker: String(i % 10) }),
  );

  it("are utterances or speakers", () => {
    expect(bootstrapUnits(ten, "utterance")).toHaveLength(20);
    expect(bootstrapUnits(ten, "speaker")).toEqual(Array(10).fill({ errors: 2, words: 4 }));
  });

  it("need speakers enough", () => {
    expect(() => bootstrapUnits(ten.slice(0, 9), "speaker")).toThrow(
      "There must be 10 speakers to draw them, but there are 9.",
    );
    expect(() => bootstrapUnits([utterance("x", "A", "A")], "speaker")).toThrow("that of x is not");
  });
});

it("worst utterances come first, of equal ones the longest; right ones not at all", () => {
  const utterances = [
    utterance("right", "A", "A"),
    utterance("half", "A B", "A"),
    utterance("longer half", "A B C D", "A B"),
    utterance("nothing said", "", "A B C"),
  ];
  expect(worstUtterances(utterances).map(({ id }) => id)).toEqual(["nothing said", "longer half", "half"]);
});

it("confusions are as many as errors", () => {
  const random = new Random(5, "confusions");
  const text = () => Array.from({ length: random.integer(9) }, () => "abcd"[random.integer(4)]).join(" ");
  const utterances = Array.from({ length: 200 }, (_, i) => utterance(String(i), text(), text()));
  const { substitutions, deletions, insertions } = confusionsOf(utterances);
  const counted = [...substitutions, ...deletions, ...insertions].reduce((sum, { count }) => sum + count, 0);
  expect(counted).toBe(sumErrors(scoresOf(utterances)));
});
