import { expect, test } from "vitest";
import { formNotes, leftOutNote } from "./form-notes.js";

test("words with letters in several forms, and with spaces within, are told", () => {
  expect(formNotes(["café", "cafe\u0301", "10\u00a0km", "THE"])).toEqual([
    'é is written in two ways (2 words, such as "café" and "cafe\u0301"): U+00E9 in 1, U+0065 U+0301 in 1. ' +
      "Words that differ in form alone are several to a language model: bring the text into one form, such as NFC.",
    '1 word has a space within that is not U+0020, such as "10\u00a0km" (U+00A0), and is never recognised: write U+0020.',
  ]);
  expect(formNotes(["THE", "DON'T", "cafe\u0301"])).toEqual([]);
});

test("words that a list has in another form are told", () => {
  const listed = new Set(["caf\u00e9", "tea"]);
  expect(leftOutNote(["cafe\u0301", "caf\u00e9", "tea", "milk"], listed)).toBe(
    '1 word of the text is left out, since --vocabulary has it in another form, such as "cafe\u0301": "e\u0301" is U+0065 U+0301 here and U+00E9 there.',
  );
  expect(leftOutNote(["tea", "milk"], listed)).toBeUndefined();
});
