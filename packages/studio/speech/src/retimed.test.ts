import { describe, expect, it } from "vitest";
import { commonWords, retimed } from "./retimed.js";

const word = (text: string, start: number, end: number) => ({
  text,
  start,
  end,
  confidence: 0.5,
  characters: [],
});
const words = [word("ONE", 0, 1), word("TOO", 1, 2), word("THREE", 3, 4)];
const range = { start: 0, end: 5 };
const times = (text: string) => retimed(words, text, range).map(({ text, start, end }) => [text, start, end]);

describe("a text that was corrected", () => {
  it("keeps the times of words that stayed, and gives a corrected word those of the wrong one", () => {
    expect(times("ONE TWO THREE")).toEqual([
      ["ONE", 0, 1],
      ["TWO", 1, 2],
      ["THREE", 3, 4],
    ]);
  });

  it("divides a stretch among more words, and joins it for fewer", () => {
    expect(times("ONE TWO AND THREE")).toEqual([
      ["ONE", 0, 1],
      ["TWO", 1, 1.5],
      ["AND", 1.5, 2],
      ["THREE", 3, 4],
    ]);
    expect(times("TWELVE THREE")).toEqual([
      ["TWELVE", 0, 2],
      ["THREE", 3, 4],
    ]);
  });

  it("puts new words into the gap that they stand in", () => {
    expect(times("ONE TOO AND THREE FOUR")).toEqual([
      ["ONE", 0, 1],
      ["TOO", 1, 2],
      ["AND", 2, 3],
      ["THREE", 3, 4],
      ["FOUR", 4, 5],
    ]);
    expect(times("")).toEqual([]);
  });

  it("finds the most words that two texts have in common", () => {
    expect(commonWords(["A", "B", "C", "B"], ["B", "C", "A", "B"])).toEqual([
      [1, 0],
      [2, 1],
      [3, 3],
    ]);
  });
});
