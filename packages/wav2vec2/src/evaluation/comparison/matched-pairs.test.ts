import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { alignWords, type WordPair } from "../../text/scoring/aligned-words.js";
import { errorSegments, matchedPairs } from "./matched-pairs.js";

const segmentsOf = (reference: string, first: string, second: string) =>
  errorSegments(alignWords(reference, first), alignWords(reference, second));

describe("errorSegments", () => {
  it.each([
    ["a b c d e f", "a b c d e f", "a b c d e f", []],
    [
      "a b c d e f",
      "x b c d e f",
      "a b c d e y",
      [
        [1, 0],
        [0, 1],
      ],
    ],
    ["a b c d e", "x b d e", "a b c d e", [[2, 0]]], // one right word between errors divides nothing
    [
      "a b c d",
      "a x b c d",
      "a b c d y",
      [
        [1, 0],
        [0, 1],
      ],
    ],
    ["a b c", "a b c y", "a b c", [[1, 0]]],
    ["a b c", "a b c", "a b c y y", [[0, 2]]], // which sc_stats does not see
    ["", "x", "", [[1, 0]]],
    [
      "a b c d e",
      "x b y c d e",
      "a b c d z",
      [
        [2, 0],
        [0, 1],
      ],
    ], // an insertion between two right words
  ])("%j, heard as %j and %j", (reference, first, second, expected) => {
    const segments = segmentsOf(reference, first, second);
    expect(segments.map((segment) => [segment.first, segment.second])).toEqual(expected);
  });
});

describe("matchedPairs", () => {
  it("is what NIST's sc_stats finds from the same alignments", () => {
    const golden = new URL("../../../test/golden/matched-pairs.json", import.meta.url);
    type Case = { segments: number; mean: number; z: number; utterances: [string, string][] };
    const cases = JSON.parse(readFileSync(golden, "utf8")) as Case[]; // by reference/golden_matched_pairs.py
    expect(cases).toHaveLength(4);
    for (const { segments, mean, z, utterances } of cases) {
      const found = utterances.flatMap(([first, second]) => errorSegments(pairsOf(first), pairsOf(second)));
      const result = matchedPairs(found);
      expect(result.segments).toBe(segments);
      // It subtracts the second system's errors from the first's, and prints three places.
      expect(result.mean).toBeCloseTo(-mean, 3);
      expect(Math.abs(result.z)).toBeCloseTo(Math.abs(z), 2);
      expect(Math.sign(result.z)).toBe(-Math.sign(z));
    }
  });

  it("is the z test of hand-worked differences", () => {
    // Differences 2, -1, 1, 0: mean 0.5, squares 2.25 + 2.25 + 0.25 + 0.25 = 5, variance 5/3, z = 0.5 / sqrt(5/12)
    const segments = [
      [0, 2],
      [1, 0],
      [1, 2],
      [1, 1],
    ].map(([first, second]) => ({ first: first!, second: second! }));
    const { mean, z, p } = matchedPairs(segments);
    expect(mean).toBe(0.5);
    expect(z).toBeCloseTo(0.7745967, 6);
    expect(p).toBeCloseTo(0.438578, 6); // scipy.stats.norm.sf(z) * 2
  });

  it("copes with no differences, none at all, and ones that are all the same", () => {
    expect(matchedPairs([])).toEqual({ segments: 0, mean: 0, z: 0, p: 1 });
    expect(matchedPairs([{ first: 2, second: 2 }])).toEqual({ segments: 1, mean: 0, z: 0, p: 1 });
    expect(matchedPairs(Array.from({ length: 4 }, () => ({ first: 0, second: 3 }))).z).toBe(2);
  });
});

/** An alignment of these operations. */
function pairsOf(operations: string): WordPair[] {
  const pairs: Record<string, WordPair> = {
    C: { reference: "a", hypothesis: "a" },
    S: { reference: "a", hypothesis: "b" },
    D: { reference: "a", hypothesis: undefined },
    I: { reference: undefined, hypothesis: "b" },
  };
  return [...operations].map((operation) => pairs[operation]!);
}
