import { expect, it } from "vitest";
import { CtcTokenizer } from "../text/tokenizer.js";
import { Vocabulary } from "../text/vocabulary.js";
import { unknownCharacters } from "./unknown-characters.js";

const references = [
  { id: "1", reference: "ÅB B1" },
  { id: "2", reference: "A'B" },
  { id: "3", reference: "1 11 Å" },
];

it("counts characters that no transcript can hold, most frequent first, with an example", () => {
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["AB'"]));
  expect(unknownCharacters(references, tokenizer, [])).toEqual({
    utterances: 2,
    characters: [
      { character: "1", count: 4, example: "1" },
      { character: "Å", count: 2, example: "1" },
    ],
  });
});

it("goes by what is compared", () => {
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["AB'"]), { lowerCase: true });
  const lower = references.map(({ id, reference }) => ({ id, reference: reference.toLowerCase() }));
  expect(unknownCharacters(lower, tokenizer, ["case"]).characters.map(({ character }) => character)).toEqual([
    "1",
    "å",
  ]);
  expect(unknownCharacters([{ id: "x", reference: "A" }], tokenizer, []).utterances).toBe(1);
  const upper = new CtcTokenizer(Vocabulary.fromTranscripts(["AB'"]));
  expect(
    unknownCharacters([{ id: "x", reference: "a'b a" }], upper, ["case", "punctuation"]).utterances,
  ).toBe(0);
});

it("takes tokens of several characters, and misses the space of a vocabulary that has none", () => {
  const tokenizer = new CtcTokenizer(new Vocabulary(["<pad>", "th", "e"]));
  expect(unknownCharacters([{ id: "x", reference: "the e" }], tokenizer, []).characters).toEqual([
    { character: " ", count: 1, example: "x" },
  ]);
});

it("knows letters in another form where forms do not count", () => {
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["E\u0301’"]));
  const count = (reference: string, steps: ("form" | "case")[]) =>
    unknownCharacters([{ id: "1", reference }], tokenizer, steps).utterances;
  expect(count("É'", [])).toBe(1);
  expect(count("É'", ["form"])).toBe(0);
  expect(count("é'", ["form", "case"])).toBe(0);
  expect(count("Ü", ["form"])).toBe(1);
});

it("counts references with letters that the vocabulary has in another form", () => {
  const tokenizer = new CtcTokenizer(Vocabulary.fromTranscripts(["caf\u00e9'"]));
  const texts = ["caf\u00e9", "cafe\u0301", "f’", "ü"].map((reference, i) => ({ id: String(i), reference }));
  expect(unknownCharacters(texts, tokenizer, []).otherForm).toBe(2);
  expect(unknownCharacters(texts, tokenizer, ["form"])).not.toHaveProperty("otherForm");
});
