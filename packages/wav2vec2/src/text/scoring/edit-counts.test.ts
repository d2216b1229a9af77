import { editDistance } from "@wav2vec2/libtorch/nearest";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { editCounts } from "./edit-counts.js";
import { sumErrors } from "./error-rate.js";

describe("editCounts of sequences too long for one table", () => {
  it.each([
    [3000, 2500],
    [2100, 2900],
  ])("%i against %i items has the length of the shortest alignment", (m, n) => {
    const random = new Random(2, "edit counts", m);
    const items = (length: number) => Array.from({ length }, () => "abcdefgh"[random.integer(8)]!);
    const [a, b] = [items(m), items(n)];
    const counts = editCounts(a, b);
    expect(sumErrors(counts)).toBe(editDistance(a, b));
    expect(counts.deletions - counts.insertions).toBe(m - n);
  });

  it("counts as jiwer 4.0.0 does, which divides them too", () => {
    const random = new Random(1, "l");
    const cases = [
      { length: 2500, rate: 0.05, counts: [49, 37, 39] },
      { length: 3000, rate: 0.3, counts: [404, 205, 256] },
      { length: 5000, rate: 0.9, counts: [2367, 414, 662] },
    ];
    for (const { length, rate, counts } of cases) {
      const reference = Array.from({ length }, () => "abcdefg"[random.integer(7)]!);
      const hypothesis = reference.flatMap((item) => {
        if (random.uniform() >= rate) return [item];
        if (random.uniform() < 0.3) return [];
        return random.uniform() < 0.5 ? ["x"] : [item, "a"];
      });
      const { substitutions, deletions, insertions } = editCounts(reference, hypothesis);
      expect([substitutions, deletions, insertions]).toEqual(counts);
    }
  });

  it("keeps what nearly equal sequences have in common", () => {
    const random = new Random(3, "edit counts");
    const a = Array.from({ length: 6000 }, () => String(random.integer(1000)));
    const b = a.filter((_, i) => i % 1000 !== 500);
    b[3000] = "other";
    expect(editCounts(a, b)).toEqual({ substitutions: 1, deletions: 6, insertions: 0 });
  });
});
