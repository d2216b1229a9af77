import { describe, expect, test } from "vitest";
import { type DecodingWeights, searchWeights } from "./tune-decoding.js";

describe("searchWeights", () => {
  test("comes close to the best of any bowl within its range, and measures nothing twice", async () => {
    for (const [lmWeight, wordScore] of [
      [0.85, 1.5],
      [1.6, -0.5],
      [0, 2.75],
      [2.2, 3.2],
    ] as const) {
      const seen = new Set<string>();
      const bowl = async (at: DecodingWeights) => {
        const key = JSON.stringify(at);
        expect(seen.has(key)).toBe(false);
        seen.add(key);
        expect(at.lmWeight).toBeGreaterThanOrEqual(0);
        const wer = 0.1 + (at.lmWeight - lmWeight) ** 2 + 0.1 * (at.wordScore - wordScore) ** 2;
        return { wer, cer: wer / 3 };
      };
      const tried = await searchWeights(bowl);
      expect(tried.length).toBe(seen.size);
      expect(Math.abs(tried[0]!.lmWeight - lmWeight)).toBeLessThanOrEqual(0.15);
      expect(Math.abs(tried[0]!.wordScore - wordScore)).toBeLessThanOrEqual(0.35);
      const rates = tried.map(({ wer }) => wer);
      expect(rates).toEqual([...rates].sort((a, b) => a - b));
    }
  });

  test("of weights that are as good those nearest to the defaults are taken", async () => {
    const tried = await searchWeights(async () => ({ wer: 0.2, cer: 0.1 }));
    expect(tried[0]).toEqual({ lmWeight: 0.5, wordScore: 1.5, wer: 0.2, cer: 0.1 });
  });

  test("fewer character errors decide between as many word errors", async () => {
    const tried = await searchWeights(async ({ lmWeight }) => ({
      wer: 0.2,
      cer: lmWeight === 1.5 ? 0.05 : 0.1,
    }));
    expect(tried[0]).toMatchObject({ lmWeight: 1.5, wordScore: 1.5 });
  });

  test("character errors decide where they are asked to", async () => {
    const measure = async ({ lmWeight }: DecodingWeights) => ({ wer: 1 - lmWeight / 10, cer: lmWeight / 10 });
    expect((await searchWeights(measure, undefined, "cer"))[0]!.lmWeight).toBe(0);
    expect((await searchWeights(measure))[0]!.lmWeight).toBeGreaterThan(2);
  });
});
