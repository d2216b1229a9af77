import { describe, expect, it } from "vitest";
import { COLORS, TONES, toneAt } from "./colors.js";

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(color: string): number {
  const digits =
    color.length === 4 ? [...color.slice(1)].map((digit) => digit + digit) : color.match(/\w\w/g)!;
  const [red, green, blue] = digits.map((pair) => {
    const value = Number.parseInt(pair, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

describe("the colours", () => {
  it("can be read on both backgrounds, in light and dark", () => {
    expect(contrast("#fff", "#000")).toBeCloseTo(21);
    for (const colors of Object.values(COLORS)) {
      for (const name of ["text", "soft", "bad", "good"] as const)
        expect(contrast(colors[name], colors.back), name).toBeGreaterThanOrEqual(4.5);
      for (const name of ["text", "soft", "bad", "good", ...TONES] as const)
        expect(contrast(colors[name], colors.card), name).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("are another for each of eight curves", () => {
    for (const colors of Object.values(COLORS))
      expect(new Set(TONES.map((tone) => colors[tone])).size).toBe(8);
    expect([0, 7, 8].map(toneAt)).toEqual([1, 8, 1]);
  });
});
