import { expect, test } from "vitest";
import { alignToRead, alignWords } from "./aligned-words.js";
import { wholeSentences } from "./whole-sentences.js";

test.each([
  [["昨日は雨が降っていました", "今日は天気がいいです"], 2],
  [["我们今天去北京大学看书", "好"], 0], // half of them
  [["วันนี้อากาศดีมากเราไปเดินเล่นกัน"], 1],
  [["昨日 は 雨 が 降っ て い まし た"], 0], // divided into words
  [["abcdefghijklmnopqrstuvwxyzabcdefg"], 1], // letters without a delimiter
  [["THE QUICK BROWN FOX", "DONAUDAMPFSCHIFFAHRTSGESELLSCHAFT IST LANG"], 0],
  [["오늘은 날씨가 좋습니다", "नमस्ते दुनिया", "مرحبا بالعالم"], 0],
  [[""], 0],
  [[], 0],
])("%j has %i references without spaces", (references, count) =>
  expect(wholeSentences(references)).toBe(count),
);

test("what has no spaces is read character by character", () => {
  expect(alignToRead("昨日は雨が降りました", "昨日わ雨が降りました")[2]).toEqual({
    reference: "は",
    hypothesis: "わ",
  });
  expect(alignToRead("ONE TWO", "ONE TEN")).toEqual(alignWords("ONE TWO", "ONE TEN"));
});
