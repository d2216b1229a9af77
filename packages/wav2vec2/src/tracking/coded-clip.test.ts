import { describe, expect, it } from "vitest";
import { Random } from "../data/random.js";
import { drawableWaveform, maskedSpans } from "./coded-clip.js";

const random = new Random(1, "coded clips");

describe("drawableWaveform", () => {
  it("has the lowest and highest sample of every piece, and loses none", () => {
    for (let round = 0; round < 50; round++) {
      const samples = Float32Array.from(
        { length: 1 + random.integer(300) },
        () => Math.round(random.uniform() * 2000 - 1000) / 1000,
      );
      const columns = 1 + random.integer(100);
      const waveform = drawableWaveform(samples, columns);
      expect(waveform).toHaveLength(Math.min(columns, samples.length));
      expect(waveform.every(([lowest, highest]) => lowest <= highest)).toBe(true);
      const all = Array.from(samples, (sample) => Number(sample.toFixed(4)));
      expect(Math.min(...waveform.map(([lowest]) => lowest))).toBe(Math.min(...all));
      expect(Math.max(...waveform.map(([, highest]) => highest))).toBe(Math.max(...all));
    }
  });

  it("keeps the pieces in order", () => {
    expect(drawableWaveform(Float32Array.of(0, 0.5, -0.25, 1, 0.125), 2)).toEqual([
      [0, 0.5],
      [-0.25, 1],
    ]);
    expect(drawableWaveform(new Float32Array(0), 5)).toEqual([]);
  });
});

describe("maskedSpans", () => {
  it("are the runs of masked frames", () => {
    expect(maskedSpans(Uint8Array.of(1, 1, 0, 0, 1, 0, 1))).toEqual([
      [0, 2],
      [4, 5],
      [6, 7],
    ]);
    expect(maskedSpans(new Uint8Array(3))).toEqual([]);
    expect(maskedSpans(new Uint8Array(0))).toEqual([]);
  });

  it("make the mask again", () => {
    for (let round = 0; round < 50; round++) {
      const mask = Uint8Array.from({ length: random.integer(60) }, () => random.integer(2));
      const again = new Uint8Array(mask.length);
      for (const [first, behind] of maskedSpans(mask)) again.fill(1, first, behind);
      expect(again).toEqual(mask);
    }
  });
});
