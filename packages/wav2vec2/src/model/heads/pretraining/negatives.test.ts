import { manualSeed } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { torchUniform } from "../../masking.js";
import { sampleNegatives } from "./negatives.js";

describe("negatives", () => {
  it("are other masked frames of the same clip, for any masks", () => {
    manualSeed(11);
    const uniform = torchUniform();
    const below = (limit: number) => Math.floor(uniform() * limit);
    for (let trial = 0; trial < 300; trial++) {
      const [rows, width, count] = [1 + below(4), 1 + below(40), 1 + below(8)];
      const share = uniform();
      const mask = Uint8Array.from({ length: rows * width }, () => Number(uniform() < share));
      const negatives = sampleNegatives(mask, width, count, uniform);
      expect(negatives).toHaveLength(rows * width * count);
      for (const [frame, masked] of mask.entries()) {
        const own = negatives.subarray(frame * count, (frame + 1) * count);
        const row = Math.floor(frame / width);
        const inRow = mask.subarray(row * width, (row + 1) * width).reduce((sum, value) => sum + value, 0);
        for (const negative of own) {
          if (!masked) expect(negative).toBe(0);
          else if (inRow === 1) expect(negative).toBe(frame);
          else {
            expect(negative).not.toBe(frame);
            expect(Math.floor(negative / width)).toBe(row);
            expect(mask[negative]).toBe(1);
          }
        }
      }
    }
  });

  it("are each of the others equally often", () => {
    manualSeed(5);
    const mask = Uint8Array.from([0, 1, 1, 0, 1, 1, 1]);
    const counts = new Map<string, number>();
    const draws = 4000;
    const negatives = sampleNegatives(mask, mask.length, draws, torchUniform());
    for (const frame of [1, 2, 4, 5, 6]) {
      for (let k = 0; k < draws; k++) {
        const pair = `${frame} ${negatives[frame * draws + k]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(5 * 4);
    for (const count of counts.values()) expect(Math.abs(count / draws - 1 / 4)).toBeLessThan(0.03);
  });
});
