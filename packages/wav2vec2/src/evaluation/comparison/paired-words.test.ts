import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { alignWords, countErrors } from "../../text/scoring/aligned-words.js";
import { type PairedWord, pairedWords } from "./paired-words.js";

const rows = (columns: PairedWord[]) =>
  columns.map(({ reference = "-", first = "-", second = "-" }) => [reference, first, second].join(" "));

describe("pairedWords", () => {
  it("puts what two systems heard below the reference's words", () => {
    expect(rows(pairedWords("A B C", "A X C D", "Y A C"))).toEqual([
      "- - Y",
      "A A A",
      "B X -",
      "C C C",
      "- D -",
    ]);
    expect(rows(pairedWords("A B", "A X B", "A Y Z B"))).toEqual(["A A A", "- X Y", "- - Z", "B B B"]);
    expect(pairedWords("", "", "")).toEqual([]);
  });

  it("holds each text's words in order, with as many errors as each alignment alone", () => {
    const random = new Random(1, "pairs");
    const text = () => Array.from({ length: random.integer(8) }, () => "ABCD"[random.integer(4)]!).join(" ");
    for (let trial = 0; trial < 300; trial++) {
      const [reference, first, second] = [text(), text(), text()];
      const columns = pairedWords(reference, first, second);
      const words = (side: keyof PairedWord) => columns.flatMap((column) => column[side] ?? []).join(" ");
      expect([words("reference"), words("first"), words("second")]).toEqual([reference, first, second]);
      for (const [side, hypothesis] of [
        ["first", first],
        ["second", second],
      ] as const)
        expect(columns.filter((column) => column.reference !== column[side]).length).toBe(
          countErrors(alignWords(reference, hypothesis)),
        );
    }
  });
});
