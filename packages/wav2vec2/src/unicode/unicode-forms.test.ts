import { describe, expect, test } from "vitest";
import {
  codePoints,
  differInFormAlone,
  formDifference,
  formKey,
  formsOf,
  graphemes,
  inKnownForm,
  oneForm,
} from "./unicode-forms.js";

test.each([
  ["caf\u00e9", "cafe\u0301", "an accent of its own"],
  ["Ａ１", "A1", "full width"],
  ["ｶﾞ", "ガ", "half width with a mark of its own"],
  ["\ufb01n", "fin", "a ligature"],
  ["don\u2019t", "don't", "apostrophes"],
  ["can\u02bct", "can't", "apostrophes that are letters"],
  ["co\u2011op", "co-op", "hyphens that do not break"],
  ["10\u00a0km", "10 km", "a space that does not break"],
  ["東京\u3000駅", "東京 駅", "the ideographic space"],
  ["ko\u00adope", "koope", "a soft hyphen"],
  ["\ufeffa\u200bb", "ab", "a byte order mark and a space without width"],
  ["\u200fשלום", "שלום", "a mark of direction"],
  ["می\u200cخواهم", "میخواهم", "a joiner"],
  ["كتاب", "کتاب", "the Arabic and the Persian kaf"],
  ["كـتاب", "كتاب", "elongation"],
  ["ﻻ", "لا", "an Arabic presentation form"],
  ["ştiinţă", "știință", "cedilla and comma"],
  ["ΟΔΟΣ".toLowerCase(), "οδοσ", "the final sigma"],
  ["İzmir".toLowerCase(), "izmir", "i with two dots"],
  ["\u0958", "\u0915\u093c", "a nukta"],
  ["\u00b5m", "\u03bcm", "the sign micro"],
  ["അവ\u0d28\u0d4d\u200d", "അവ\u0d7b", "a chillu in parts"],
  ["น้ํา", "น้ำ", "Thai am in parts behind a tone"],
  ["นํ้า", "น้ำ", "Thai am in parts around a tone"],
  ["\u0e81\u0ecd\u0eb2", "\u0e81\u0eb3", "Lao am in parts"],
  ["한", "\u1112\u1161\u11ab", "Hangul in parts"],
])("%s and %s differ in form alone: %s", (one, other) => {
  expect(differInFormAlone(one, other)).toBe(true);
  expect(differInFormAlone(other, one)).toBe(true);
});

test.each([
  ["e", "é"],
  ["A", "a"],
  ["straße", "strasse"],
  ["m²", "m2"],
  ["i", "ı"],
  ["は", "ば"],
  ["10 km", "10km"],
  ["ى", "ي"],
  ["ന്", "ൻ"],
  ["same", "same"],
])("%s and %s do not", (one, other) => expect(differInFormAlone(one, other)).toBe(false));

test("one form keeps case, the final sigma, joiners and what a compatibility form would lose", () => {
  for (const text of ["Straße", "οδος", "می\u200cخواهم", "m²", "½", "™", "…", "क्षि", "ﷺ"])
    expect(oneForm(text)).toBe(text.normalize());
});

test("characters keep their marks", () => {
  expect(graphemes("e\u0301กี่👨‍👩‍👧")).toEqual(["e\u0301", "กี่", "👨‍👩‍👧"]);
});

describe("a text in the form that is known", () => {
  const of = (tokens: string) => (text: string) => [...text].every((character) => tokens.includes(character));

  test.each([
    ["caf\u00e9", "acfe\u0301", "cafe\u0301"],
    ["cafe\u0301", "acf\u00e9", "caf\u00e9"],
    ["don’t", "don't", "don't"],
    ["don't", "don’t", "don’t"],
    ["A1", "Ａ１", "Ａ１"],
    ["Ａ１", "A1", "A1"],
    ["كتاب", "کتاب", "کتاب"],
    ["کتاب", "كتاب", "كتاب"],
    ["ﬁn", "fin", "fin"],
    ["a\u00adb\u200b", "ab", "ab"],
    ["οδος", "οδσ", "οδοσ"],
    ["\u0d28\u0d4d\u200d", "\u0d7b", "\u0d7b"],
    ["\u0d7b", "\u0d28\u0d4d\u200d", "\u0d28\u0d4d\u200d"],
    ["น้ํา", "น้ำ", "น้ำ"],
  ])("%s of %s is %s", (text, tokens, known) => expect(inKnownForm(text, of(tokens))).toBe(known));

  test("is as it was where a vocabulary tells its forms apart, and where none is known", () => {
    expect(inKnownForm("e\u0301é’'", of("e\u0301é’'"))).toBe("e\u0301é’'");
    expect(inKnownForm("x\u0301é", of("abc"))).toBe("x\u0301é");
    expect(inKnownForm("É", of("é"))).toBe("É"); // case is no form
  });

  test("has no form that a reader would take for another character", () => {
    for (const grapheme of ["é", "’", "Ａ", "ك", "ș", "ς", "\u00ad", "ﬁ", "ガ"])
      for (const form of formsOf(grapheme)) expect(formKey(form)).toBe(formKey(grapheme));
  });
});

test("the difference of two forms is told by code points", () => {
  expect(formDifference("caf\u00e9", "cafe\u0301")).toBe('"é" is U+00E9 here and U+0065 U+0301 there');
  expect(formDifference("ab", "ab\u200b")).toBe(
    "a character that is not seen is nothing here and U+200B there",
  );
  expect(codePoints("a😀")).toBe("U+0061 U+1F600");
});
