import { describe, expect, test } from "vitest";
import { Vocabulary } from "../../text/vocabulary.js";
import { PauseFinder } from "./pauses.js";

const tokens = ["<pad>", "<unk>", "|", "A", "B"];

/** Frames of 20 ms after which a stream is cut, one token a frame: "." is the blank. */
function cuts(frames: string, delimiter: string | null = "|"): number[] {
  const vocabulary = new Vocabulary(tokens, { wordDelimiter: delimiter });
  const finder = new PauseFinder(vocabulary, 0.02);
  return [...frames].flatMap((token, frame) => {
    const scores = new Float32Array(tokens.length);
    scores[token === "." ? 0 : tokens.indexOf(token)] = 5;
    return finder.push(scores) ? [frame + 1] : [];
  });
}

describe("PauseFinder", () => {
  test("cuts behind 0.6 s without a label, and again only behind new speech", () => {
    const word = "AB".repeat(30); // 1.2 s
    expect(cuts(`${word}${".".repeat(29)}${word}`)).toEqual([]);
    expect(cuts(`${word}${".".repeat(30)}${word}`)).toEqual([90]);
  });

  test("silence is cut too, so that it is not held for ever", () => {
    expect(cuts(".".repeat(150))).toEqual([50, 100, 150]);
  });

  test("a long piece ends at a space, a short one does not", () => {
    const speech = "ABAB.BA|".repeat(200); // 32 s with spaces of a frame
    const [first] = cuts(speech);
    expect(first! * 0.02).toBeGreaterThan(14.6);
    expect(first! * 0.02).toBeLessThan(15);
    expect(speech[first! - 1]).toBe("|");
  });

  test("without any space a piece ends at a blank behind 30 s, without blanks behind 40 s", () => {
    expect(cuts("ABABABABA.".repeat(160))).toEqual([1500]);
    expect(cuts("AB".repeat(1001))).toEqual([2000]);
  });

  test("a vocabulary without a space counts blanks as such", () => {
    const [first] = cuts("ABABABABA.".repeat(100), null);
    expect(first).toBe(740); // 14.8 s: 0.6 s have shrunk to a frame
  });
});
