import { describe, expect, it } from "vitest";
import { editDistance } from "../../data/edit-distance.js";
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

  it("keeps what nearly equal sequences have in common", () => {
    const random = new Random(3, "edit counts");
    const a = Array.from({ length: 6000 }, () => String(random.integer(1000)));
    const b = a.filter((_, i) => i % 1000 !== 500);
    b[3000] = "other";
    expect(editCounts(a, b)).toEqual({ substitutions: 1, deletions: 6, insertions: 0 });
  });
});
