import { manualSeed } from "@wav2vec2/libtorch";
import { describe, expect, it } from "vitest";
import { torchUniform } from "./masking.js";
import { sampleSpans } from "./span-mask.js";

manualSeed(7);
const uniform = torchUniform();
const integer = (below: number) => Math.floor(uniform() * below);

describe("sampled spans", () => {
  it("stay inside each row, cover at least one span and at most all of it, for any lengths", () => {
    for (let trial = 0; trial < 500; trial++) {
      const lengths = Array.from({ length: 1 + integer(4) }, () => integer(60));
      const width = Math.max(1, ...lengths) + integer(5);
      const length = 1 + integer(15);
      const minSpans = integer(3);
      const mask = sampleSpans(lengths, width, { probability: uniform(), length, minSpans }, uniform);
      expect(mask).toHaveLength(lengths.length * width);
      for (const [row, steps] of lengths.entries()) {
        const own = mask.subarray(row * width, row * width + steps);
        const padding = mask.subarray(row * width + steps, (row + 1) * width);
        expect(padding.every((value) => value === 0)).toBe(true);
        const covered = own.reduce((sum, value) => sum + value, 0);
        if (minSpans > 0 && steps > 0) expect(covered).toBeGreaterThanOrEqual(Math.min(length, steps));
        // Every run of masked steps is made of whole spans.
        for (const run of own.join("").match(/1+/g) ?? []) {
          expect(run.length).toBeGreaterThanOrEqual(Math.min(length, steps));
        }
      }
    }
  });

  it("cover about 49 % of the frames with the paper's values (p 0.65, 10 frames)", () => {
    const lengths = Array<number>(40).fill(500);
    const mask = sampleSpans(lengths, 500, { probability: 0.65, length: 10, minSpans: 2 }, uniform);
    expect(mask.reduce((sum, value) => sum + value, 0) / mask.length).toBeCloseTo(0.48, 1);
  });

  it("are as many as fit into the longest row, also in shorter ones, as Hugging Face has it", () => {
    const wanted = { probability: 0, length: 10, minSpans: 2 };
    const starts = new Set<number>();
    for (let trial = 0; trial < 50; trial++) {
      const row = sampleSpans([49, 15], 49, wanted, uniform).subarray(49, 64);
      starts.add(row.reduce((sum, value) => sum + value, 0));
    }
    expect(Math.min(...starts)).toBeGreaterThan(10); // two different starts
  });

  it("start anywhere with the same probability", () => {
    const counts = new Float64Array(8);
    for (let trial = 0; trial < 4000; trial++) {
      const mask = sampleSpans([10], 10, { probability: 0, length: 3, minSpans: 1 }, uniform);
      counts[mask.indexOf(1)]! += 1 / 4000;
    }
    for (const share of counts) expect(Math.abs(share - 1 / 8)).toBeLessThan(0.03);
  });

  it("cut spans to rows that are shorter", () => {
    const mask = sampleSpans([3, 0, 1], 4, { probability: 0.5, length: 10, minSpans: 1 }, uniform);
    expect([...mask]).toEqual([1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
  });
});
