import { expect, test } from "vitest";
import { describeSeveral, describeSpelledOut, WrittenForms } from "./written-forms.js";

function formsOf(...texts: string[]): WrittenForms {
  const forms = new WrittenForms();
  for (const [index, text] of texts.entries()) forms.add(text, `clip ${index}`);
  return forms;
}

test("a letter that is written in two ways is told with its clips", () => {
  const several = formsOf("café", "cafe\u0301", "eve").several();
  expect(several.map((each) => describeSeveral(each))).toEqual([
    "é is written in two ways (2 clips, such as clip 0 and clip 1): U+00E9 in 1, U+0065 U+0301 in 1",
  ]);
});

test("apostrophes, widths and ligatures are letters too; case, place in the word and joiners are none", () => {
  const letters = (...texts: string[]) =>
    formsOf(...texts)
      .several()
      .map(({ forms }) => forms.map(({ text }) => text));
  expect(letters("don't", "don't", "don’t")).toEqual([["'", "’"]]);
  expect(letters("AＡ")).toEqual([["A", "Ａ"]]);
  expect(letters("σοφος Σ", "می\u200cخواهم میخواهم", "x² 2")).toEqual([]);
});

test("a character that stands for several letters is told where these are written too, and spelled out", () => {
  const forms = formsOf("\ufb01n", "fin", "ﻻ");
  expect(forms.spelledOut().map((each) => describeSpelledOut(each))).toEqual([
    "\ufb01 (U+FB01) stands for several letters, fi, which are also written one by one (1 clip, such as clip 0)",
  ]);
  expect(forms.unifier()!("\ufb01n ﻻ")).toBe("fin ﻻ"); // there is no other ل
  expect(formsOf("\ufb01n", "\ufb01n").unifier()).toBeUndefined();
});

test("texts are brought into the form that most have, at the same count the composed one", () => {
  expect(formsOf("é", "e\u0301").unifier()!("e\u0301é")).toBe("éé");
  const decomposed = formsOf("e\u0301", "e\u0301 u\u0308", "é").unifier()!;
  expect(decomposed("é ü")).toBe("e\u0301 u\u0308"); // letters with one form too: the vocabulary is of one kind
  expect(formsOf("don’t", "it’s", "can't").unifier()!("can't")).toBe("can’t");
  expect(formsOf("ab", "a\u00adb").unifier()!("a\u00adb")).toBe("ab");
});

test("texts in one form stay as they are", () => {
  expect(formsOf("cafe\u0301 u\u0308", "it’s", "Ａ").unifier()).toBeUndefined();
  expect(formsOf().unifier()).toBeUndefined();
});
