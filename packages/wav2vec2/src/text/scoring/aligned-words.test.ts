import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { alignWords, countErrors, inColumns } from "./aligned-words.js";
import { wordErrors } from "./error-rate.js";

describe("alignWords", () => {
  it("puts the same words above each other", () => {
    const columns = inColumns(alignWords("ONE TWO THREE FOUR", "ONE THREE FIVE SIX"));
    expect(columns).toEqual({ reference: "ONE TWO THREE FOUR ***", hypothesis: "ONE *** THREE FIVE SIX" });
  });

  it("copes with nothing on either side", () => {
    expect(alignWords("", "")).toEqual([]);
    expect(inColumns(alignWords("ONE", ""))).toEqual({ reference: "ONE", hypothesis: "***" });
    expect(inColumns(alignWords("", "ONE"))).toEqual({ reference: "***", hypothesis: "ONE" });
  });

  it("counts as many errors as the error rate and keeps all words in order", () => {
    const random = new Random(1, "aligned words");
    const sentence = (): string =>
      Array.from({ length: random.integer(8) }, () => "abc"[random.integer(3)]).join(" ");
    for (let trial = 0; trial < 300; trial++) {
      const [reference, hypothesis] = [sentence(), sentence()];
      const pairs = alignWords(reference, hypothesis);
      const { substitutions, deletions, insertions } = wordErrors(reference, hypothesis);
      expect(countErrors(pairs)).toBe(substitutions + deletions + insertions);
      expect(pairs.flatMap((pair) => pair.reference ?? []).join(" ")).toBe(reference);
      expect(pairs.flatMap((pair) => pair.hypothesis ?? []).join(" ")).toBe(hypothesis);
    }
  });
});
