import { expect, test } from "vitest";
import { cutToWidth, displayWidth, padToWidth, tailToWidth } from "./display-width.js";

test.each([
  ["café", 4],
  ["cafe\u0301", 4],
  ["東京", 4],
  ["ｱA", 2],
  ["Ａ、", 4],
  ["한국", 4],
  ["กี่", 1],
  ["שָׁלוֹם", 4],
  ["👨‍👩‍👧", 2],
  ["a\u200b\u00ad", 1],
  ["", 0],
])("%s is %i columns wide", (text, width) => expect(displayWidth(text)).toBe(width));

test("texts are padded and cut by what is seen", () => {
  expect(padToWidth("東", 4)).toBe("東  ");
  expect(padToWidth("e\u0301", 3, "start")).toBe("  e\u0301");
  expect(cutToWidth("東京駅", 5)).toBe("東京");
  expect(cutToWidth("e\u0301e\u0301e\u0301", 2)).toBe("e\u0301e\u0301");
  expect(tailToWidth("東京駅前", 6)).toBe("…駅前");
  expect(tailToWidth("東京", 4)).toBe("東京");
});
