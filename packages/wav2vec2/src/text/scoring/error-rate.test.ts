import { readFileSync } from "node:fs";
import { editDistance } from "@wav2vec2/libtorch/nearest";
import { describe, expect, it } from "vitest";
import { Random } from "../../data/random.js";
import { characterErrors, ErrorRate, sumErrors, wordErrors } from "./error-rate.js";

// Reference, hypothesis, substitutions, deletions, insertions, character errors by jiwer 4.0.0: process_words
// and process_characters. Many have several shortest alignments with other counts.
const JIWER: [string, string, number, number, number, number][] = [
  ["the cat sat on the mat", "the cat sat on the mat", 0, 0, 0, 0],
  ["one two three", "one too three four", 1, 0, 1, 6],
  ["a b", "b a", 0, 1, 1, 2],
  ["a b", "b c", 2, 0, 0, 2],
  ["b b a b c a b", "a c c b a b a c", 2, 1, 2, 7],
  ["e b e d d c d c a", "e e e c d e a b", 2, 2, 1, 7],
  ["c b d e c b a e a e b e d b", "e e a d b c a b e d e b d", 4, 3, 2, 12],
  ["a a a b a b", "a b b b b b a a a a", 1, 1, 5, 11],
  ["e e e a c e", "e b e d a c", 1, 1, 1, 4],
  ["j m h d g", "j h d d q", 1, 1, 1, 3],
  ["b b c c b a b c b b b c a", "a a a a a b b b c b a b a c", 6, 1, 2, 10],
  ["seven", "", 0, 1, 0, 5],
  ["", "seven eight", 0, 0, 2, 11],
  ["", "", 0, 0, 0, 0],
];
const [JIWER_WER, JIWER_CER] = [0.6756756756756757, 0.5031446540880503]; // of all pairs together

describe("wordErrors and characterErrors", () => {
  it.each(JIWER)(
    "%j against %j as jiwer counts",
    (reference, hypothesis, substitutions, deletions, insertions, errors) => {
      const words = reference.split(" ").filter(Boolean).length;
      expect(wordErrors(reference, hypothesis)).toEqual({ substitutions, deletions, insertions, words });
      const { characters, ...edits } = characterErrors(reference, hypothesis);
      expect(characters).toBe([...reference].length);
      expect(sumErrors(edits)).toBe(errors);
    },
  );

  it("count as jiwer does on 1,500 random pairs in several scripts", () => {
    const golden = new URL("../../../test/golden/error-rates.json", import.meta.url);
    type Pair = [string, string, number[], number[]];
    const pairs = JSON.parse(readFileSync(golden, "utf8")) as Pair[]; // by reference/golden_error_rates.py
    expect(pairs).toHaveLength(1500);
    for (const [reference, hypothesis, words, characters] of pairs) {
      const word = wordErrors(reference, hypothesis);
      expect([word.words, word.substitutions, word.deletions, word.insertions], reference).toEqual(words);
      const character = characterErrors(reference, hypothesis);
      const { substitutions, deletions, insertions } = character;
      expect([character.characters, substitutions, deletions, insertions], reference).toEqual(characters);
    }
  });

  it("take any whitespace for the end of a word, and code points for characters", () => {
    expect(wordErrors("  A\tB \n", "A   B")).toEqual({
      substitutions: 0,
      deletions: 0,
      insertions: 0,
      words: 2,
    });
    expect(characterErrors(" A  😀", "A 😃 ")).toEqual({
      substitutions: 1,
      deletions: 1,
      insertions: 0,
      characters: 4,
    });
  });

  it("count as many errors as the edit distance, and lengths that fit", () => {
    const random = new Random(6, "error-rate");
    const sentence = () => Array.from({ length: random.integer(15) }, () => "abcd"[random.integer(4)]!);
    for (let round = 0; round < 300; round++) {
      const [reference, hypothesis] = [sentence(), sentence()];
      const errors = wordErrors(reference.join(" "), hypothesis.join(" "));
      expect(errors.substitutions + errors.deletions + errors.insertions).toBe(
        editDistance(reference, hypothesis),
      );
      expect(errors.deletions - errors.insertions).toBe(reference.length - hypothesis.length);
    }
  });
});

describe("ErrorRate", () => {
  it("divides the errors of all utterances by the words of all", () => {
    const rate = new ErrorRate();
    for (const [reference, hypothesis] of JIWER) rate.add(reference, hypothesis);
    expect(rate.wer).toBeCloseTo(JIWER_WER, 12);
    expect(rate.cer).toBeCloseTo(JIWER_CER, 12);
    expect(rate.words).toBe(JIWER.flatMap(([reference]) => reference.split(" ").filter(Boolean)).length);
  });

  it("is the number of insertions where there is no reference at all", () => {
    const rate = new ErrorRate();
    expect([rate.wer, rate.cer]).toEqual([0, 0]);
    rate.add("", "a bc");
    expect([rate.wer, rate.cer]).toEqual([2, 4]);
  });

  it("counts utterances with an error", () => {
    const rate = new ErrorRate();
    expect(rate.sentenceErrorRate).toBe(0);
    for (const hypothesis of ["a b", "a", "a b c", "a  b "]) rate.add("a b", hypothesis);
    expect(rate.sentenceErrorRate).toBe(0.5);
    expect([rate.deletions, rate.insertions, rate.characterDeletions, rate.characterInsertions]).toEqual([
      1, 1, 2, 3,
    ]);
  });
});
