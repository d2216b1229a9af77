import { describe, expect, it } from "vitest";
import { alignHypotheses } from "./aligned-hypotheses.js";

describe("alignHypotheses", () => {
  const columns = (reference: string, ...hypotheses: string[]) =>
    alignHypotheses(reference, hypotheses).map(({ reference: word, hypotheses: all }) =>
      [word, ...all].map((each) => each ?? "-").join("|"),
    );

  it("puts what three recognised of a word below one another, and what they added in shared columns", () => {
    expect(columns("ONE TWO THREE", "ONE TOO THREE", "OH ONE TWO", "ONE TWO THREE FOUR")).toEqual([
      "-|-|OH|-",
      "ONE|ONE|ONE|ONE",
      "TWO|TOO|TWO|TWO",
      "THREE|THREE|-|THREE",
      "-|-|-|FOUR",
    ]);
  });

  it("takes texts without words", () => {
    expect(columns("", "A B", "")).toEqual(["-|A|-", "-|B|-"]);
    expect(columns("A", "", "")).toEqual(["A|-|-"]);
    expect(alignHypotheses("A B", [])).toEqual([]);
  });
});
