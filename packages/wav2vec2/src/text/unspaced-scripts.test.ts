import { expect, test } from "vitest";
import { hasUnspacedScript, joinTexts } from "./unspaced-scripts.js";

test.each(["今日", "カナ", "ไทย", "ລາວ", "ខ្មែរ", "မြန်မာ", "བོད", "abc 中"])(
  "%s has letters without spaces",
  (text) => expect(hasUnspacedScript(text)).toBe(true),
);

test.each(["hello", "Привет", "한국어", "नमस्ते", "مرحبا", "", "、。"])("%s has none", (text) =>
  expect(hasUnspacedScript(text)).toBe(false),
);

test("texts are joined as their writing is", () => {
  expect(joinTexts(["今日は。", "", "「いい」", "天気"])).toBe("今日は。「いい」天気");
  expect(joinTexts(["ONE", "TWO"])).toBe("ONE TWO");
  expect(joinTexts(["NHK", "東京", "OK"])).toBe("NHK 東京 OK");
  expect(joinTexts(["สวัสดี", "ครับ"])).toBe("สวัสดี ครับ");
  expect(joinTexts([])).toBe("");
});
