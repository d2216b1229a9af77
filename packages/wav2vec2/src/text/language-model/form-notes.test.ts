import { expect, test } from "vitest";
import { formNotes } from "./form-notes.js";

test("words with letters in several forms, and with spaces within, are told", () => {
  expect(formNotes(["café", "cafe\u0301", "10\u00a0km", "THE"])).toEqual([
    'é is written in two ways (2 words, such as "café" and "cafe\u0301"): U+00E9 in 1, U+0065 U+0301 in 1. ' +
      "Words that differ in form alone are several to a language model: bring the text into one form, such as NFC.",
    '1 word has a space within that is not U+0020, such as "10\u00a0km" (U+00A0), and is never recognised: write U+0020.',
  ]);
  expect(formNotes(["THE", "DON'T", "cafe\u0301"])).toEqual([]);
});
