import { describe, expect, it } from "vitest";
import { normalizeText } from "./normalize-text.js";

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

  it("leaves a text alone unless asked", () => {
    expect(normalizeText(" A,  B ", [])).toBe(" A,  B ");
  });
});
