import { describe, expect, it } from "vitest";
import { isNormalization, normalizeText } from "./normalize-text.js";

describe("normalizeText", () => {
  it.each([
    ["Don't stop – it's twenty-one!", "Don't stop it's twenty one"],
    ["l’été, 'quoted' rock 'n' roll…", "l'été quoted rock n roll"],
    ["$5 + 3.5 = x_y", "5 3 5 x y"],
    ["«…»", ""],
    ["dogs' tails''s", "dogs tails s"],
    ["e\u0301’s  A\tB ", "e\u0301's A B"],
  ])("takes punctuation from %j", (text, expected) => {
    expect(normalizeText(text, ["punctuation"])).toBe(expected);
  });

  it("lower-cases", () => {
    expect(normalizeText("ÄÖ İ  Don't!", ["case"])).toBe("äö i̇ don't!");
    expect(normalizeText("ÄÖ Don't!", ["punctuation", "case"])).toBe("äö don't");
  });

  it("lower-cases by the rules of a language", () => {
    expect(normalizeText("ISPARTA İZMİR", ["case:tr"])).toBe("ısparta izmir");
    expect(normalizeText("ISPARTA ΟΔΟΣ", ["case"])).toBe("isparta οδος");
    expect(["case:tr", "case:el", "case", "form"].filter(isNormalization)).toHaveLength(4);
    expect(["case:", "case:?", "case:xx", "cases", "toString"].filter(isNormalization)).toEqual([]);
  });

  it.each([
    ["cafe\u0301 don’t", "café don't"],
    ["１０\u00a0ｋｍ", "10 km"],
    ["Gar\u00adten\u200b", "Garten"],
    ["İstanbul".toLowerCase(), "istanbul"],
  ])("makes one of the forms of %j", (text, expected) => {
    expect(normalizeText(text, ["form"])).toBe(expected);
  });

  it("leaves a text alone unless asked", () => {
    expect(normalizeText(" A,  B ", [])).toBe(" A,  B ");
  });
});
